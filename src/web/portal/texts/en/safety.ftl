alarm-subject = Please look at mostik
alarm-text =
    Somebody of your community needs a person to look after them.

    Raised: { $time }
    Reference: { $concern }

    Please look now who it is, and acknowledge it, so that others know that somebody is there: in your moderators' tool, or with
    mostik safety acknowledge { $concern } --by YOU
    If nobody does, others are told.
alarm-trial = This is a trial. Nobody needs you now; the way to you works.
safety-told = As soon as you answer that you think of being better off dead or of hurting yourself, and whether or not you finish, people of { $communities } are told that somebody should look after you. They do not see your answers, and they may not be there at once.
safety-clinic-told = If they find that you are in danger, a person on duty may tell { $clinic } even where you have not agreed to it: that there was such an answer, and nothing else. You then read it under “What was shared”.
safety-clinic-basis = The law that allows it: { $basis }
safety-not-told = Nobody reads at once what you answer here.
