# What clinics publish for everybody to read, and what communities are told in their rooms.
materials = Read from clinics
materials-lead = Texts that clinics wrote for everybody. Each is published by the clinic itself, and nobody else can change it.
materials-none = No clinic has published anything yet.
materials-all = All texts from clinics
material-mark = Verified.
material-verified = Published by { $clinic }, { $day }, version { $version }. Nobody but the clinic can change it, and each change is a new version.
material-newer = There is a newer version of this text.
material-newer-link = Read the newest
material-before = The version before this one
material-link = More on this:
material-checksum = Checksum of the text (SHA-256):
material-general = It is written for everybody and knows nothing of you. It is no advice for your own treatment.
material-retracted = This text was taken back
material-retracted-more = { $clinic } took it back on { $day }. It is not shown any more.
material-altered = This text is not shown
material-altered-more = What is stored here is not what the clinic published. Whoever runs this site has been told by its log.
announce-material =
    New to read from { $clinic }: { $title }
    { $link }
announce-material-again =
    A new version from { $clinic }: { $title }
    { $link }
announce-session =
    Open to everybody, by { $clinic }: { $title }
    { $day }, { $time } ({ $zone })
    { $link }
