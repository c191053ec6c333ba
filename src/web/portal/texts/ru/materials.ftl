# То, что клиники публикуют для всех, и что об этом узнают сообщества в своих комнатах.
materials = Материалы клиник
materials-lead = Тексты, которые клиники написали для всех. Каждый опубликован самой клиникой, и никто другой не может его изменить.
materials-none = Ни одна клиника пока ничего не опубликовала.
materials-all = Все материалы клиник
material-mark = Подтверждено.
material-verified = Опубликовано: { $clinic }, { $day }, версия { $version }. Никто, кроме клиники, не может это изменить, и каждое изменение — новая версия.
material-newer = Есть более новая версия этого текста.
material-newer-link = Читать новейшую
material-before = Предыдущая версия
material-link = Подробнее об этом:
material-checksum = Контрольная сумма текста (SHA-256):
material-general = Это написано для всех и ничего не знает о вас. Это не совет о вашем лечении.
material-retracted = Этот текст отозван
material-retracted-more = { $clinic } отозвала его { $day }. Больше он не показывается.
material-altered = Этот текст не показывается
material-altered-more = То, что здесь хранится, — не то, что опубликовала клиника. Об этом сообщено в журнал тех, кто ведёт этот сайт.
announce-material =
    Новый материал, { $clinic }: { $title }
    { $link }
announce-material-again =
    Новая версия, { $clinic }: { $title }
    { $link }
announce-session =
    Открыто для всех, { $clinic }: { $title }
    { $day }, { $time } ({ $zone })
    { $link }
