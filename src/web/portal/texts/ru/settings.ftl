flash-settings-saved = Сохранено.
settings-community = Вы пришли сюда из сообщества { $community }.
settings-zone = Ваш часовой пояс
settings-zone-hint = Например, Europe/Moscow. По нему видно, когда начинаются и кончаются ваши дни. Если его нет, дни считаются по всемирному времени (UTC).
settings-wrong-zone = Такой часовой пояс неизвестен. Ничего не изменилось. Выберите из списка, например Europe/Moscow.
