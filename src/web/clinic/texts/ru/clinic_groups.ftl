# Страницы для сотрудников клиники: групповые встречи.
clinic-groups = Групповые встречи
clinic-groups-lead = Встречи сразу для нескольких человек. Вы создаёте их здесь, а в системе клиники каждая появляется как приём.
clinic-groups-none = Встреч не запланировано.
clinic-groups-no-kind = Ваша клиника не предлагает групповых встреч. Вид визита для них могут настроить те, кто ведёт этот сайт.
clinic-group-new = Запланировать встречу
clinic-group-kind = Вид встречи
clinic-group-kind-open = { $title } (открыта для всего сообщества)
clinic-group-places = Сколько мест
clinic-group-plan = Запланировать
clinic-group-taken = занято мест: { $taken } из { $capacity }
clinic-group-waiting = ждут: { $count }
clinic-group-stands-planned = запланирована
clinic-group-stands-cancelled = отменена
clinic-group-ehr = В системе клиники
clinic-group-told = Да, как указано здесь
clinic-group-not-told = Пока не так, как указано здесь. Попытка повторяется каждые несколько минут.
clinic-group-who = Кто участвует
clinic-group-who-none = Здесь нет никого, кого вы можете видеть.
clinic-group-hidden = { $count ->
    [one] Ещё { $count } человек участвует
    [few] Ещё { $count } человека участвуют
   *[many] Ещё { $count } человек участвуют
}, но вам не видно, кто это: этого не позволяет их согласие или клиника их не знает.
clinic-group-join = Войти и вести встречу
clinic-group-opens = Войти можно с { $time }.
clinic-group-change = Изменить время или число мест
clinic-group-change-more = Все, у кого есть место, узнают, что есть новости. Никто не потеряет место, даже если мест станет меньше.
clinic-group-save = Сохранить
clinic-group-cancel = Отменить встречу
clinic-group-cancel-more = Все, у кого есть место, узнают об этом.
clinic-group-cancel-yes = Да, отменить
clinic-group-back = Все групповые встречи
clinic-wrong-places = Укажите, пожалуйста, число мест от 1 до 500. Ничего не изменилось.
flash-clinic-group-planned = Запланировано. Участники уже видят встречу среди визитов.
flash-clinic-group-changed = Изменено. Все, у кого есть место, узнают об этом.
flash-clinic-group-cancelled = Отменено. Все, у кого было место, узнают об этом.
