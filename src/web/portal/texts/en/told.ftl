# How a member is told that there is a message.
told-title = How you are told
told-lead = Messages of your clinics always wait for you here. You can also be told elsewhere that there is one.
settings-told = How you are told about messages
settings-told-text = By which ways, at what time, and how much is said.
told-grade = How much is said outside of this site
told-grade-notice = Only that there is a message, with a link
told-grade-summary = Also of which clinic it is and what kind it is
told-grade-full = The message itself
told-grade-hint = Never more than you allow the clinic under “My sharing”, and never more than the people who run this site allow for your community. In browsers and in the subject of a mail, it is always only that there is a message.
told-when = When
told-now = As each one comes
told-daily = Once a day, all together, at
told-daily-at = Time of day
told-quiet = Not at night, or whenever you want quiet
told-quiet-from = Quiet from
told-quiet-until = until
told-quiet-hint = By your clock: { $zone }. What comes meanwhile is told afterwards.
told-kinds = About what
told-kind-recommendation = Something to do
told-kind-message = Messages to read
told-kind-appointment = Appointments
told-kind-questionnaire = Questionnaires
told-kinds-hint = What you leave out still waits for you here, under Messages.
told-remind = Before a visit
told-remind-usual = As your clinic does; as a rule a day and an hour before
told-remind-own = At these times; if you choose none, never
told-remind-before = { $minutes ->
    [2880] Two days before
    [1440] A day before
    [180] Three hours before
    [60] An hour before
   *[15] A quarter of an hour before
}
told-remind-hint = If a reminder would come much too late because you want quiet, it comes in quiet hours, too.
told-ways = By which ways
told-ways-hint = The first is tried first. If it does not work, the next one is.
told-ways-none = There is no other way to you yet: messages wait for you here.
told-way-community = Through { $community }
told-way-push = In your browsers
told-place = { $place }.
told-place-never = Not at all
told-way-closed = Switched off on { $day }: nobody could be reached there any more.
told-way-open = Try it again
told-way-push-none = Not switched on in any browser yet.
told-push = Messages in your browsers
told-wrong-time = Please enter times such as 22:00. Nothing was changed.
push-title = Messages in this browser
push-lead = Your browser can show a short note when there is a message: that there is one, and nothing about it.
push-how = The note goes through the service of your browser’s maker. It is encrypted for your browser: the maker learns that a note came, and when, not what it says. Whoever sees your screen may see the note.
push-here = This browser
push-needs = To switch it on, this page needs JavaScript; everything else here works without. If you do not want that, choose another way.
push-cannot = This browser cannot show such notes. On an iPhone or iPad, add this site to your home screen first, and open it there.
push-can = You can switch it on here.
push-denied = Your browser does not allow it. You can change that in your browser’s settings for this site.
push-failed = That did not work. Please try again later.
push-switch-on = Show notes in this browser
push-list = Where it is switched on
push-none = In no browser yet.
push-since = A browser, since { $day }
push-switch-off = Switch off
push-wrong = Your browser named a service that cannot be used here. Nothing was changed.
push-most = It is switched on in as many browsers as it can be. Please switch one of them off first.
push-back = How you are told
flash-push-on = Switched on in this browser.
flash-push-off = Switched off. It shows no notes any more.
flash-told-saved = Saved. This is how you are told from now on.
