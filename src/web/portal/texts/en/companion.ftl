# The companion: what it says where a talk stands (src/companion/script.toml). Short, as in a chat. It is a program, and says so.
companion-not-understood = I did not understand that. I am a program and know a few things only:
companion-stranger =
    Hello. I am the helper of { $community }: a program, no therapist, and nobody reads this at once.
    With me you can note how you are in ten seconds, fill in questionnaires, and, only if you want to, let your clinic see it. I need no name and no e-mail address.
    Would you like to join?
companion-stay-away = That is fine. I keep nothing of this talk. Write to me whenever you like.
companion-joined = Welcome. Nobody sees anything of you until you decide it, clinic by clinic. “Stop everything” ends all sharing at any time, and “help” shows who is there for you.
companion-home = What would you like to do?
companion-mood = How are you? From 1 (very bad) to 5 (very good), or in a word.
companion-mood-shared = Noted. As you decided, { $clinics } will see it.
companion-mood-kept = Noted, for you alone.
companion-mood-nobody = Nobody may see this and you do not keep it, so it was not kept. Shall I keep what you note, for you alone?
companion-forms = Short questionnaires that clinics know well. You can stop at any question, and answer “rather not”.
companion-question =
    Question { $number } of { $count }. { $stem }

    { $question }

    { $choices }
companion-danger =
    Thank you for saying it. You are not alone with this. Thoughts like these are hard to bear, and there are people who help with exactly that. Please tell somebody today. If you may act on them, call { $emergency } now. Nobody watches around the clock what is written here.

    These people are there for you:
companion-form-later = Your answers wait for three days. I remind you once, in three hours at the earliest, and not while you want quiet. Or say “go on” whenever you like.
companion-form-stopped = Your answers wait for three days. Say “go on” whenever you like.
companion-form-gone = There is no questionnaire open. Shall we begin one?
companion-review = That was the last question: { $answered } of { $count } answered. Shall I finish it?
companion-form-shared =
    { $total }
    As you decided, { $clinics } will see it. It is no diagnosis.
companion-form-kept =
    { $total }
    It is kept for you alone. It is no diagnosis.
companion-form-nobody = Nobody may see your answers and you do not keep them. Shall I keep what you note, for you alone?
companion-discarded = Your answers are thrown away.
companion-no-messages = Your clinics have nothing new for you.
companion-some-messages = Your clinics have { $count ->
    [one] a message
   *[other] { $count } messages
} for you. Here you can read them, and nobody else can.
companion-cannot-book = None of your clinics offers visits here now.
companion-visits = Here you can ask for a visit, choose a time, change it, or join.
companion-no-sharing = Nothing is shared with any clinic. Here you can change that.
companion-sharing-active = You share with { $clinics }. What exactly, and until when, you see and change here.
companion-sharing-paused = Sharing with { $clinics } is paused: nothing is sent.
companion-paused = Paused. Nothing is sent until you say “resume”.
companion-resumed = You share again, as before.
companion-stopped = Everything is stopped. Nothing more is sent to any clinic, and what was waiting is gone. What clinics had before, they have. You can have everything here deleted, too.
companion-help =
    If you may be in danger, call { $emergency } now. I am a program, and nobody reads at once what you write here.

    These people are there for you:
companion-human-called = People of { $called } are told that you would like somebody to get in touch. They may not be there at once.
companion-no-human = There is nobody here whom I could call. Please do turn to one of these:
companion-who =
    I am the helper of { $community }: a program with fixed answers. I am no therapist, I do not make up what I say, and nobody reads along.
    Run by { $operator }.
companion-delete = That deletes everything: what you noted, what you answered, who you are. All sharing ends with it. You have seven days to change your mind. Write “delete everything” if you want that.
companion-erasing = Everything will be deleted on { $day }. Until then you can call it off. Here is a secret for you with which you can check afterwards that it was done.
companion-erasing-elsewhere = You asked for everything to be deleted. On which day that is, and how to call it off before, is for you to see where nobody else reads along. Here you can look.
companion-kept-me = It is called off. Everything stays as it was.
nav-talk = Helper
talk-title = Helper
talk-answer = The helper says
talk-say = Say it in your own words
talk-hint = A few words are enough: “help”, “stop everything”, “menu”. Small mistakes do not matter.
talk-send = Say
companion-some-clinic = your clinic
companion-messages-elsewhere = What your clinics have for you, nobody but you can read, and only here.
companion-resume-elsewhere = To share again is yours to decide where nobody else reads along. Here you can do it.
companion-rules-in-short =
    The rules in short: { $summary }
    With “yes” you agree to the rules and to what becomes of your data, in the version of { $day }. Here is all of it.
companion-rules-joined = With that you agreed to the rules of { $community } in the version of { $day }. Say “rules” to read them again.
companion-rules-new = { $community } has rules in the version of { $day }, which you have not agreed to yet. Say “rules” when you like; nothing is taken from you until then.
companion-no-rules = No rules are written down here.
companion-rules-open =
    These are the rules in the version of { $day }, in short: { $summary }
    Here is all of it. Do you agree? If not now, everything stays as it is.
companion-rules-agreed =
    You have agreed to the rules in the version of { $day }. In short: { $summary }
    Here is all of it.
companion-agreed = Thank you. You have agreed to the rules in the version of { $day }.
companion-phrase = People of { $here } are told that somebody should get in touch with you: a program found words in what you wrote that may mean danger. It understands nothing of it, and may be wrong. They see these words and nothing else, and may not be there at once.
companion-name-there = To sign in there: your community is { $community }, your name { $handle }.
companion-message =
    From { $clinic }: { $says }

    You can answer “accept” or “decline” here. The page says more, and there you can ask something.
companion-accepted =
    You want to do it: { $says }
    { $clinic } is told so.
companion-refused =
    You do not want to do it: { $says }
    { $clinic } is told so. On the page you can say why, if you like.
companion-put-off = That is fine. I remind you once, in three hours at the earliest, and not while you want quiet.
companion-wrong-code = This code is not good, or not any more. In the portal you can make another one, under Settings. If you have none, say “yes” to join without it.
companion-come-later = More people want to join { $community } just now than can. Please say “yes” again in an hour. I keep nothing of this talk. “Help” shows who is there for you at any time.
companion-no-materials = No clinic has published anything to read yet. Where it will be found is here.
companion-some-materials = Clinics have published { $count ->
    [one] one text
   *[other] { $count } texts
} for everybody. Here you can read.
