# The review queue of a community: who wants a human's eye.
moderate-of = Review queue of { $community }
moderate-sign-in = Sign in to look after members
moderate-sign-in-nobody = No community’s people can sign in here.
moderate-sign-in-lead = Here a community’s own people see which members somebody should look after, and since when.
moderate-sign-in-text = You sign in with your account in your community, on its own page, and come back here. We do not see your password.
moderate-sign-in-at = Sign in with { $community }
moderate-not-admitted = You are signed in, but your account does not let you into this queue. Please ask whoever looks after accounts in your community.
moderate-provider = Your community’s sign-in does not work at present. Please try again later.
moderate-not-set-up = Signing in with this community’s accounts is not set up properly yet. Please tell the people who run this site.
moderate-queue = Who needs somebody
moderate-queue-lead = Somebody should look after these members. Write to them in the community; do not wait for somebody else to.
moderate-waiting = Nobody looks after them yet
moderate-waiting-none = Nobody is waiting.
moderate-held = Somebody looks after them
moderate-waits = waiting for { $time }
moderate-waited = waited { $time }
moderate-time = { $days ->
    [0] { $hours ->
        [0] { $minutes } min
       *[other] { $hours } h { $minutes } min
    }
   *[other] { $days } d { $hours } h
}
moderate-noted = Each look at a member is noted in the audit log.
moderate-gone = No longer in the community
moderate-rule-self-harm = an answer in a questionnaire says that they may think of hurting themselves
moderate-rule-asked = they asked for somebody to get in touch
moderate-rule-low-risk = a screening (C-SSRS) found a low risk of suicide
moderate-rule-moderate-risk = a screening (C-SSRS) found a moderate risk of suicide
moderate-rule-high-risk = a screening (C-SSRS) found a high risk of suicide
moderate-rule-phrase = they wrote words that may mean danger
moderate-phrase = Words
moderate-unvalidated = These words stand in a list that nobody has validated. It is no measure of danger: it may be wrong, and most of those who are in danger write otherwise. Please ask the member how they are.
moderate-stands-raised = nobody was told yet
moderate-stands-told = the first were told
moderate-stands-escalated = nobody took it in time: the second level is told
moderate-stands-acknowledged = somebody looks after it
moderate-stands-closed = closed
moderate-why = Why
moderate-how = How it stands
moderate-how-long = Waiting until somebody looked after it
moderate-step-raised = Raised
moderate-step-told = First told
moderate-step-escalated = Escalated
moderate-step-acknowledged = Taken
moderate-step-closed = Closed
moderate-disclosed = Told without consent
moderate-not-answers = What the member answered or wrote elsewhere does not stand here.
moderate-take-title = Look after them
moderate-take = I look after them
moderate-close-title = When you are done
moderate-close = Close it
moderate-by = Your name, as your colleagues know you
moderate-by-hint = It stands here and in the audit log, encrypted.
moderate-wrong-name = Please give a name of 1 to 64 characters. Nothing was changed.
moderate-escalate-title = Get a specialist
moderate-escalate-text = The second level is told at once, and not only when nobody has taken it in time.
moderate-escalate = Escalate now
moderate-back = All who need somebody
moderate-history = Closed
moderate-history-lead = Closed ones are forgotten ninety days later.
moderate-history-none = Nothing is closed yet.
moderate-meanwhile = Somebody else of your community was a moment faster. Nothing was done twice. Please look at it again.
flash-moderate-acknowledged = It is noted that you look after them. Nobody else is told any more.
flash-moderate-closed = Closed.
flash-moderate-escalated = The second level is being told.
flash-moderate-signed-out = You are signed out.
