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
visit-here = I’m here
visit-here-more = { $clinic } sees in its own system that you are there.
visit-here-since = You said at { $time } that you are here. Your clinic is told.
visit-nobody = Nobody comes?
visit-nobody-wait = Please wait ten minutes: the talk before yours may take longer.
visit-nobody-again = Leave, come back to this page, and enter once more.
visit-nobody-call = If still nobody comes, call { $clinic }:
visit-nobody-call-none = If still nobody comes, please call { $clinic } by the number that you have of them.
camera-title = Try out camera and microphone
camera-lead = A few minutes before your first visit are enough. Nothing here is sent to anybody.
camera-before = Before
camera-before-where = Find a place where nobody listens and where there is light in front of you. With headphones nobody hears who talks to you.
camera-before-power = Plug your phone or computer in, and use Wi-Fi if you can.
camera-before-browser = Use a current browser: Firefox, Chrome, Edge or Safari.
camera-try = Try it out
camera-try-phone = On a phone: open its camera and switch to the one that looks at you. Do you see yourself? Record a short video, play it, and listen. Then delete it.
camera-try-computer = On a computer: open its camera program (Camera in Windows, Photo Booth on a Mac, Cheese in Linux). Do you see yourself?
camera-try-sound = Record a few words with its sound recorder, and play them. Do you hear yourself? Then delete it.
camera-allow = When you enter the visit
camera-allow-ask = Your browser asks whether it may use camera and microphone. Choose “Allow”.
camera-allow-lock = If you said no before: press the lock or the sign beside the address of the page, allow both, and load the page again.
camera-allow-system = If nothing is asked at all: look into the settings of your device under Privacy whether the browser may use camera and microphone.
camera-else = If it does not work
camera-else-programs = Close other programs that use camera or microphone, such as other calls, and load the page again.
camera-else-device = Try another browser, or your phone instead of your computer.
camera-else-without = You can come without a camera, too: only with your voice. If nothing helps, call your clinic.
visit-calendar = Put it into my calendar
visits-calendar = All my visits in my calendar
visit-rate = How was this visit for you?
visit-rate-as = { $rating ->
    [1] Bad
    [2] Not so good
    [3] Middling
    [4] Good
   *[5] Very good
}
visit-rate-unsaid = I do not want to say
visit-rate-hint = It is only counted how many say what. It is not kept that you said it, and neither your clinic nor your community learns of it.
visit-rate-send = Send
flash-visit-rated = Thank you. It is counted.
flash-visit-rate-none = Please choose one of the answers, or that you do not want to say.
calendar-title = My visits in my calendar
calendar-lead = Your calendar program can look by itself when your visits are. It sees “Appointment” and the time, and nothing of what or with whom.
calendar-address = The address for your calendar program
calendar-address-text = It is shown only now. Copy it into your calendar program, and give it to nobody else.
calendar-how = In most programs: “Add calendar”, “Subscribe”, or “From URL”. Most look again every few hours.
calendar-who = Who can see it
calendar-who-text = Whoever has the address sees when you have appointments. If your calendar lies with a service, that service sees it, too. You can have another address at any time; the old one ends then.
calendar-since = There is an address since { $day }.
calendar-make = Make an address
calendar-anew = Make another address
calendar-off = End the address
flash-calendar-off = The address leads nowhere any more.
visit-calendar-more = It says “Appointment”, and nothing of what or with whom.
visit-not-offered-open = The clinic does not offer this visit at present, so no time can be chosen. If you wait here, we look again as soon as it is offered.
visit-not-offered-booked = The clinic does not offer this visit anew at present. Yours stays as it is: you can cancel it, but not move it.
flash-visit-not-offered = The clinic does not offer this visit at present. Nothing was sent.
