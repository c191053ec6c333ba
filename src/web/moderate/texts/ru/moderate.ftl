# Очередь сообщества: кому нужен человек.
moderate-of = Очередь сообщества { $community }
moderate-sign-in = Вход для тех, кто заботится об участниках
moderate-sign-in-nobody = Ни одно сообщество не настроило здесь вход для своих людей.
moderate-sign-in-lead = Здесь люди сообщества видят, о ком из участников стоит позаботиться и как давно.
moderate-sign-in-text = Вы входите с учётной записью вашего сообщества, на его странице, и возвращаетесь сюда. Вашего пароля мы не видим.
moderate-sign-in-at = Войти: { $community }
moderate-not-admitted = Вход выполнен, но ваша учётная запись не открывает эту очередь. Обратитесь к тому, кто ведёт учётные записи вашего сообщества.
moderate-provider = Вход через ваше сообщество сейчас не работает. Попробуйте позже.
moderate-not-set-up = Вход с учётными записями этого сообщества ещё не настроен. Пожалуйста, сообщите тем, кто отвечает за этот сайт.
moderate-queue = Кому нужен человек
moderate-queue-lead = Об этих участниках стоит позаботиться. Напишите им в сообществе и не ждите, что это сделает кто-то другой.
moderate-waiting = О них пока никто не заботится
moderate-waiting-none = Никто не ждёт.
moderate-held = О них кто-то заботится
moderate-waits = ждёт { $time }
moderate-waited = ожидание { $time }
moderate-time = { $days ->
    [0] { $hours ->
        [0] { $minutes } мин
       *[other] { $hours } ч { $minutes } мин
    }
   *[other] { $days } д { $hours } ч
}
moderate-noted = Каждый просмотр отмечается в журнале.
moderate-gone = Уже не в сообществе
moderate-rule-self-harm = по ответу в опроснике возможны мысли о том, чтобы навредить себе
moderate-rule-asked = есть просьба, чтобы кто-то откликнулся
moderate-rule-low-risk = скрининг (C-SSRS) показал низкий риск суицида
moderate-rule-moderate-risk = скрининг (C-SSRS) показал умеренный риск суицида
moderate-rule-high-risk = скрининг (C-SSRS) показал высокий риск суицида
moderate-rule-phrase = в сообщении есть слова, которые могут означать опасность
moderate-phrase = Слова
moderate-unvalidated = Эти слова есть в списке, который никто не проверял научно. Это не мера опасности: список может ошибаться, а большинство людей в опасности пишут иначе. Пожалуйста, спросите участника, как он себя чувствует.
moderate-stands-raised = пока никому не сообщено
moderate-stands-told = первым сообщено
moderate-stands-escalated = вовремя никто не откликнулся: сообщаем второму уровню
moderate-stands-acknowledged = есть кто заботится
moderate-stands-closed = закрыто
moderate-why = Почему
moderate-how = Как обстоит дело
moderate-how-long = Ожидание до отклика
moderate-step-raised = Появилось
moderate-step-told = Впервые сообщено
moderate-step-escalated = Передано выше
moderate-step-acknowledged = Взято
moderate-step-closed = Закрыто
moderate-disclosed = Сообщено без согласия
moderate-not-answers = Ответов участника и того, что написано в других местах, здесь нет.
moderate-take-title = Позаботиться
moderate-take = Беру на себя
moderate-close-title = Когда всё сделано
moderate-close = Закрыть
moderate-by = Ваше имя, под которым вас знают коллеги
moderate-by-hint = Оно хранится здесь и в журнале в зашифрованном виде.
moderate-wrong-name = Укажите имя длиной от 1 до 64 символов. Ничего не изменено.
moderate-escalate-title = Позвать специалиста
moderate-escalate-text = Второй уровень узнает сразу, а не только если вовремя никто не откликнется.
moderate-escalate = Передать сейчас
moderate-back = Все, кому нужен человек
moderate-history = Закрытые
moderate-history-lead = Закрытое забывается через девяносто дней.
moderate-history-none = Пока ничего не закрыто.
moderate-meanwhile = Кто-то из вашего сообщества успел раньше. Дважды ничего не сделано. Пожалуйста, посмотрите ещё раз.
flash-moderate-acknowledged = Отмечено, что вы берёте это на себя. Больше никому не сообщаем.
flash-moderate-closed = Закрыто.
flash-moderate-escalated = Сообщаем второму уровню.
flash-moderate-signed-out = Вы вышли.
