# What stands around every page.
skip = Skip to the content
nav = Pages
nav-sharing = My sharing
nav-settings = Settings
sign-out = Sign out
save = Save
language = Language
to-start = To the start
help-title = This is not an emergency service.
help-text = Nobody watches what you enter here around the clock. If you may hurt yourself, or somebody is in danger, call your local emergency number (112 in Europe).
help-link = Find a helpline
minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
about = What this is
about-text = mostik carries what you choose to share from your community to your clinic, and nothing else. You decide for each clinic, kind by kind, and can take it back at any time.
date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
nav-shared = What was shared
