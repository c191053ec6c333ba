erase = Erase everything
erase-lead = You can have everything erased that is kept about you here. Nobody asks you for a reason.
erase-what = What happens
erase-what-week = For seven days nothing is erased. Until then one press is enough to keep everything.
erase-what-here = Then your sharing ends, and everything about you here is deleted: what you noted down, your settings and receipts, your connections to clinics, and the key without which none of it can be read.
erase-what-community = Your account in your community stays as it is. This site just no longer knows you.
erase-never = What cannot be undone
erase-never-back = Once it is done, nobody can bring it back, and neither can we. You can begin anew at any time, with nothing from before.
erase-never-left = What is left is a certificate, and a log that says that somebody with your number was here and what was decided. Nothing in it says who that was.
erase-clinics = What the clinics keep
erase-clinics-keep = What has arrived in your record at a clinic is part of that record. We cannot take it back from there; ask the clinic about it.
erase-copy = Take a copy of everything first
erase-ask-clinics = Also ask the clinics to mark what they have as entered in error
erase-ask-clinics-more = The clinics decide whether they do. Some of it they must keep for as long as the law says. We wait for their answers for up to four days.
erase-ask = Erase everything in seven days
erase-not = Back, without changing anything
erase-waits = Everything is erased on { $day }
erase-waits-lead = Until then nothing is lost. You can go on as before, and you can change your mind.
erase-cancel-text = If you would rather stay: one press, and nothing happens at all.
erase-cancel = Keep everything
erase-begun = The erasure has begun
erase-begun-until = Your sharing has ended. The clinics are being told, and we wait for their answers until { $day } at the latest. It cannot be called off any more.
erase-asks-clinics = The clinics are asked to mark what they have as entered in error.
erase-asks-no-clinics = The clinics are not asked to mark what they have.
erase-hurry = If you do not want to wait
erase-hurry-text = You can also have everything erased right away.
erase-hurry-clinics = You can also have everything erased without waiting for the clinics any longer.
erase-hurry-link = Erase without waiting
erase-now-title = Erase everything now?
erase-now-lead = Then you cannot change your mind any more, and nobody can bring anything back.
erase-now-wait-text = Is this a hard day? Nothing is lost by waiting: everything is erased anyway when the time has come. And somebody may be there to talk to.
erase-now-wait = I would rather wait
erase-now-type = To erase everything now, type this word:
erase-now-word = erase
erase-now-wrong = That was another word. Nothing was erased.
erase-now = Erase now, for good
erased = Everything is erased
erased-text = What was kept about you here is gone, and you are signed out. Take care of yourself.
erased-begun-text = Your sharing has ended, and you are signed out. The clinics are being told, and then everything is erased, after four days at the latest.
secret-title = Keep this for yourself
secret-text = Once everything is erased, there is a certificate of it. You will have no account any more, so this secret is the only way to it. Write it down, or save it:
secret-where = You find the certificate here:
certificate = Certificate of erasure
certificate-lead = If you had everything erased, you can see here how it stands, and have the certificate of it.
certificate-secret = Your secret
certificate-secret-hint = It begins with ec_ and was shown to you when you asked for the erasure.
certificate-look = Show the certificate
certificate-wrong = We do not know this secret. Please look whether all of it is there.
certificate-requested = Nothing is erased yet: the seven days are not over.
certificate-upstream = It has begun. The clinics are being told, and then everything is erased.
certificate-erased = Everything was erased.
certificate-cancelled = It was called off: nothing was erased.
certificate-asked-for = Asked for
certificate-done = Erased
certificate-rows = Entries deleted in the database
certificate-has = { $count ->
    [0] Nothing stands in the record there.
    [one] One entry stands in the record there.
   *[other] { $count } entries stand in the record there.
}
certificate-was-asked = The clinic was asked to mark them.
certificate-unanswered = { $count ->
    [one] One request had no answer.
   *[other] { $count } requests had no answer.
}
certificate-signed = The certificate is signed, and its signature fits.
certificate-unsigned = The certificate is not signed: this site had no key to sign with.
certificate-file = Save the certificate
certificate-check-how = Whoever has the file can check that it comes from here and was not changed:
flash-erase-requested = Done. Please keep the secret below.
flash-erase-cancelled = Everything stays. Nothing was erased.
sharing-erasing = You asked us to erase everything on { $day }. Until then you can change your mind.
sharing-erasing-keep = Look at it, or keep everything
sharing-erasing-begun = Everything about you here is being erased.
sharing-erasing-look = Look at it
