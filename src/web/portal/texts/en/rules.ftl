# The rules of a community.
nav-rules = Rules and privacy
rules-of = Rules and privacy of { $community }
rules-version = In the version of { $day }.
rules-title = The rules
rules-privacy = What becomes of your data
rules-agreed = You have agreed to this version.
rules-ask = You have not agreed to this version yet. As long as you have not, everything stays as it is for you.
rules-agree = I agree
rules-new = There are rules of your community that you have not seen yet.
rules-new-link = Read them
flash-rules-agreed = Thank you. It is noted that you agree.
