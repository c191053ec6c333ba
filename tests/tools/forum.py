"""A forum of Misago, in the database FORUM_DATABASE (a URL), with its files in FORUM_FILES: Misago's own settings (`devproject`), as
far as they are not for the tests. Mail goes nowhere, and what would be done aside (Celery, which wants Redis) is done at once.

    forum.py prepare        fills the empty database, and makes the accounts
    forum.py serve PORT     serves it on 127.0.0.1
"""

import os
import sys
from urllib.parse import urlsplit

from devproject.settings import *  # noqa: F403

database = urlsplit(os.environ["FORUM_DATABASE"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.path[1:],
        "USER": database.username,
        "PASSWORD": database.password,
        "HOST": database.hostname,
        "PORT": database.port,
        "CONN_MAX_AGE": 60,
    }
}
DEBUG = False
MIDDLEWARE = [it for it in MIDDLEWARE if not it.startswith("debug_toolbar")]  # noqa: F405
CELERY_TASK_ALWAYS_EAGER = True
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
MEDIA_ROOT = os.environ["FORUM_FILES"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # soon

# Two accounts for bridges, two members, and a moderator.
ACCOUNTS = ["mostik", "mostik-two", "sparrow", "wren", "hawk"]
PASSWORD = "a long password"


def make_accounts():
    from misago.acl.models import Role
    from misago.cache.versions import get_cache_versions, invalidate_all_caches
    from misago.categories.models import Category, CategoryRole, RoleCategoryACL
    from misago.conf.dynamicsettings import DynamicSettings
    from misago.conf.models import Setting
    from misago.users.models import User
    from misago.users.setupnewuser import setup_new_user

    # Threads soon have several pages.
    for name, value in {"posts_per_page": 5, "posts_per_page_orphans": 0}.items():
        setting = Setting.objects.get(setting=name)
        setting.value = value
        setting.save()
    # Tests write faster than people, and so does a bridge.
    flood = {"misago.threads.permissions.threads": {"can_omit_flood_protection": True}}
    roles = [Role.objects.create(name="Fast", permissions=flood), Role.objects.get(name="Private threads")]
    elsewhere = Category(name="Elsewhere", slug="elsewhere")
    elsewhere.insert_at(Category.objects.root_category(), position="last-child", save=True)
    RoleCategoryACL.objects.create(
        role=Role.objects.get(special_role="authenticated"),
        category=elsewhere,
        category_role=CategoryRole.objects.get(name="Start and reply threads"),
    )
    settings = DynamicSettings(get_cache_versions())
    for name in ACCOUNTS:
        user = User.objects.create_user(name, f"{name}@forum.test", PASSWORD)
        user.roles.add(*roles, *Role.objects.filter(name="Moderator" if name == "hawk" else None))
        user.update_acl_key()
        user.save()
        setup_new_user(settings, user)
    invalidate_all_caches()


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "forum"
    import django
    from django.core.management import call_command

    django.setup()
    if sys.argv[1] == "prepare":
        call_command("migrate", verbosity=0)
        make_accounts()
    else:
        call_command("runserver", f"127.0.0.1:{sys.argv[2]}", use_reloader=False, skip_checks=True)


if __name__ == "__main__":
    main()
