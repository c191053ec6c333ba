flash-settings-saved = Saved.
settings-community = You came here from { $community }.
