# Visits at clinics: asking, choosing, confirming, changing, cancelling.
nav-visits = Visits
visits-lead = Book a talk with your clinic, see when it is, change or cancel it. Your community does not learn of it.
visits-coming = Coming up
visits-open = Not booked yet
visits-over = Over
visits-ask = Ask for a visit
visits-none-offered = None of your clinics offers visits here at present.
visits-closed = { $clinic } offers visits, too. To book there, let something come back from that clinic: otherwise you would not hear if a visit is cancelled.
visits-closed-look = Change it under My sharing
visits-zone = All times are those of { $zone }.
visits-zone-change = Change your time zone
visit-plain = A visit
visit-day = { $weekday ->
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
    [6] Saturday
   *[7] Sunday
}, { $date }
visit-reason = What it is about, if you want to say
visit-reason-hint = You need not write anything. If you do, { $clinic } reads it with your request.
visit-reason-not-shared = You can also tell the clinic what it is about, if you share with it what you want to talk about.
visit-find = Find a time
visit-ask-told = { $clinic } learns that you ask for this visit only when you choose a time, or when its staff have to look for one.
visit-help = This is not for emergencies. If you cannot wait for a visit, please talk to somebody now:
visit-back = All visits
visit-where = Where
visit-when = When
visit-how = How it stands
visit-why = What it is about
visit-stands-requested = asked for
visit-stands-offered = waiting for your choice
visit-stands-holding = being reserved for you
visit-stands-held = reserved for you
visit-stands-booking = being booked
visit-stands-booked = booked
visit-stands-releasing = being given back
visit-stands-cancelling = being cancelled
visit-stands-rescheduled = moved to another time
visit-stands-fulfilled = took place
visit-stands-cancelled = cancelled
visit-stands-noshow = did not take place
visit-note-taken = Somebody else was a moment faster: this time is no longer free. Please choose another one.
visit-note-hold-ended = The time was not confirmed while it was reserved, so it is free for others again. You can choose once more.
visit-note-not-done = The clinic’s system could not do it. Nothing is booked. Please try again, or call { $clinic }.
visit-note-not-cancelled = The clinic’s system did not take the cancellation. Please call { $clinic } and tell them.
visit-note-clinic-cancelled = { $clinic } has cancelled this visit.
visit-note-clinic-moved = { $clinic } has moved this visit. Please look at the new time.
visit-note-now-free = There are free times now.
visit-note-clinic-offers = { $clinic } keeps a time for you. Please confirm it, or ask for another one.
visit-note-clinic-no-time = { $clinic } has no time for this visit at present. You can ask again later.
visit-note-clinic-call = { $clinic } asks you to call: together you find what suits.
visit-note-clinic-else = { $clinic } finds that another kind of visit would suit better. You can ask for one here, or call.
visit-is-change = Your visit stays booked as it is until another time is booked for it.
visit-asked = Your clinic’s system was asked and has not answered yet. Usually that takes a few seconds.
visit-look-here = Look again
visit-kept-until = This time is reserved for you until { $time }. Please confirm it before then.
visit-confirm = Yes, book this time
visit-release = Choose another time
visit-choose = Free times
visit-none-left = None of the times that were free is left. Please look again.
visit-none-free = Nothing is free at present
visit-none-free-more = You can look again later, or wait for the next free time: we look every quarter of an hour and tell you here.
visit-waits = You are waiting. As soon as something is free, you find it here.
visit-wait = Wait for a free time
visit-wait-no-more = Wait no longer
visit-look = Look for free times again
visit-looked = Looked up at { $time }.
visit-change = Another time
visit-cancel = Cancel this visit
visit-cancel-title = Cancel this visit?
visit-cancel-more = Your clinic is told, and the time is free for somebody else. You need not say why.
visit-cancel-yes = Yes, cancel it
visit-cancel-no = No, keep it
visit-wrong-reason = Please write at most 500 characters. Nothing was sent.
visit-wrong-too-many = You have several visits here that are not booked yet. Please finish or cancel one of them first.
visit-wrong-away = Your clinic’s system does not answer at present. Nothing was sent. Please try again in a few minutes.
flash-visit-requested = Your clinic is asked. It may take some days until its staff propose a time.
flash-visit-away = Your clinic’s system does not answer at present. Please look again in a few minutes.
flash-visit-waits = Noted: you wait for a free time.
flash-visit-waits-no-more = Noted: you wait no longer.
visit-guest = Guest
visit-neutral = Appointment
visit-join-title = The visit is a video call
visit-join = Enter the visit
visit-join-more = The way in is made for you and holds for ten minutes; you can always ask for another one here. Nothing is recorded.
visit-join-from = You can enter from { $time } on, on this page.
visit-join-help = Does everything work?
visit-join-help-camera = Your browser asks whether it may use camera and microphone. You may leave the camera off.
visit-join-help-browser = If you hear nothing, close other programs that use the microphone, and open this page in another browser.
visit-join-help-late = If you are late, come in all the same: the visit stays open until half an hour after its end.
visit-join-help-name = The clinic knows who comes. In the call you are called “Guest”.
visit-calendar = Put it into my calendar
visit-calendar-more = It says “Appointment”, and nothing of what or with whom.
