flash-settings-saved = Saved.
settings-community = You came here from { $community }.
settings-zone = Your time zone
settings-zone-hint = Such as Europe/Berlin. It says when your days begin and end. Without it, days are counted in universal time (UTC).
settings-wrong-zone = This time zone is not known. Nothing was changed. Please choose one from the list, such as Europe/Berlin.
