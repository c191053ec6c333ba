error-host = This is not the right address
error-host-more = This page cannot be shown under the address that was used. Open it from a link that we sent you.
error-form = This could not be accepted
error-form-more = The page may have been open for a long time, or your browser does not keep cookies for this site. Nothing was changed. Please go back to the start and try once more.
error-sign-in = Please sign in
error-sign-in-more = This page is for members who are signed in.
error-not-found = There is no such page
error-not-found-more = The address may be mistyped, or the page is no longer there.
error-method = This cannot be done here
error-method-more = Nothing was changed.
error-bad-form = What was sent could not be read
error-bad-form-more = Nothing was changed. Please go back to the start and try once more.
error-large = That was too much at once
error-large-more = Nothing was changed. Please send less.
error-meanwhile = Something changed in the meantime
error-meanwhile-more = The same was changed in another window. Please look at it again, and repeat what you wanted to do.
error-often = That was tried too often
error-often-more = To protect our members, this can be done only so often.
error-often-wait = Please try again in { $minutes ->
    [one] 1 minute
   *[other] { $minutes } minutes
}.
error-busy = This cannot be done at present
error-busy-more = We are looking after it. Please try again in a few minutes.
error-internal = Something broke on our side
error-internal-more = It is not your fault. We are looking after it. Please look whether what you wanted was done, and if not, try again later.
