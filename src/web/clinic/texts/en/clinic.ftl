# The staff view of a clinic: requests for visits, and today's visits.
clinic-of = Staff view of { $clinic }
clinic-sign-in = Sign in as clinic staff
clinic-sign-in-nobody = No clinic’s staff can sign in here.
clinic-sign-in-lead = Here a clinic’s staff see which of their patients ask for a visit, and enter today’s visits.
clinic-sign-in-text = You sign in with your account at your clinic, on the clinic’s own page, and come back here. We do not see your password.
clinic-sign-in-at = Sign in with { $clinic }
clinic-sign-in-members = I am a member of a community
clinic-not-admitted = You are signed in at your clinic, but your account there does not let you into this view. Please ask whoever looks after accounts at your clinic.
clinic-provider = Your clinic’s sign-in does not work at present. Please try again later.
clinic-not-set-up = Signing in with this clinic’s accounts is not set up properly yet. Please tell the people who run this site.
clinic-requests = Requests
clinic-requests-lead = These patients ask for a visit, or wait until something is free.
clinic-requests-none = Nobody is waiting.
clinic-patient = Patient { $patient }
clinic-since = since { $since }
clinic-hidden = { $count ->
    [one] One more stands in your EHR only
   *[other] { $count } more stand in your EHR only
}: the patient named one practitioner, or shares nothing with the clinic any longer.
clinic-noted = Each look at a patient is noted, and the patient can see it.
clinic-who = Who
clinic-asked = Asked
clinic-stands-open = waits for a time
clinic-stands-waits = waits until something is free
clinic-stands-asked = the EHR is being asked
clinic-stands-asked-more = The EHR was asked and has not answered yet. Usually that takes a few seconds.
clinic-stands-held = a time is kept for the patient, who has to confirm it
clinic-stands-booked = booked
clinic-stands-cancelled = cancelled
clinic-stands-closed = closed
clinic-give-title = Offer a time
clinic-give-text = The patient is told that there is news, and finds it here.
clinic-times-away = The EHR does not say at present which times are free. Please look again in a few minutes.
clinic-times-none = No time is free in the EHR within the days that are offered.
clinic-day = Day
clinic-time = Begins at
clinic-keep-for = Keep it for the patient for
clinic-keep-hint = If they do not confirm it by then, the time is free again.
clinic-hours = { $count } hours
clinic-offer = Keep it, and ask the patient
clinic-give = Book it for the patient
clinic-decline-title = Say no
clinic-decline-why = What the patient is told
clinic-why-no-time = There is no time at present; they can ask again later
clinic-why-call = Please call us
clinic-why-else = Another kind of visit suits better
clinic-why-cancelled = The clinic has cancelled the visit
clinic-decline = Decline the request
clinic-back-requests = All requests
clinic-today = Today
clinic-today-none = There are no visits today.
clinic-join = Enter the visit
clinic-join-more = The way in is made for you now and holds for ten minutes. You lead the call; nothing is recorded.
clinic-clinician = Clinician
clinic-mark-title = Did it take place?
clinic-mark-fulfilled = Yes, it took place
clinic-mark-noshow = No, the patient did not come
clinic-cancel-title = Cancel this visit
clinic-cancel = Cancel the visit
clinic-back-today = All of today’s visits
clinic-wrong-time = Please give a day and a time that are to come, and at most a year ahead. Nothing was changed.
clinic-wrong-away = The EHR does not answer at present. Nothing was changed. Please try again in a few minutes.
clinic-wrong-not-free = This time is not free any more. Nothing was changed. Please choose another one.
flash-clinic-asked = The EHR is asked, and has not answered yet. Usually that takes a few seconds.
flash-clinic-done = Done. The EHR has it.
flash-clinic-not-free = The EHR did not do it: somebody was faster. Please choose another time.
flash-clinic-signed-out = You are signed out.
clinic-meanwhile = Somebody else of your clinic, or the patient, was a moment faster. Nothing was done twice. Please look at it again.
clinic-free = Free times
clinic-free-lead = What is free in your EHR in the coming two weeks, kind by kind.
clinic-free-none = No kind of visit here has times in the EHR.
clinic-free-times = { $count ->
    [0] nothing free
    [one] 1 time
   *[other] { $count } times
}
clinic-free-cut = More is free than is counted here: the days after these were not looked at.
