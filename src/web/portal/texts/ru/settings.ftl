flash-settings-saved = Сохранено.
settings-community = Вы пришли сюда из сообщества { $community }.
