preview-look = See what would go
preview-title = What would go to { $clinic }
preview-lead = This is exactly what would have gone there in the last 7 days. The page about your last weeks, if the clinic gets one, is under “For my next visit”. Looking at it sends nothing and changes nothing.
preview-nothing = You share nothing with this clinic, so nothing would have gone.
preview-active = Under your consent as it stands now.
preview-draft = Under what you have just filled in. It is not saved yet.
preview-change = Change it
preview-paused = Your consent is paused: nothing is sent at present. This is what would go if you went on.
preview-over = The time you chose is over: nothing is sent any more.
preview-goes = { $count ->
    [0] This would have gone
    [one] This would have gone: 1
   *[other] This would have gone: { $count }
}
preview-goes-nothing = Nothing.
preview-stays = { $count ->
    [0] This would have stayed with you
    [one] This would have stayed with you: 1
   *[other] This would have stayed with you: { $count }
}
preview-stays-nothing = Nothing that is kept here.
preview-why = Why:
preview-week = The week up to { $day }
preview-fhir = As the clinic’s system receives it
preview-more = { $count ->
    [one] And 1 more, older.
   *[other] And { $count } more, older.
}
preview-back = Back to my sharing
