import os

DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["PGDATABASE"], "USER": "shop_test", "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
    "TEST": {"TEMPLATE": "shop_template"},
}}
INSTALLED_APPS = ["shop"]
SECRET_KEY = "none"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
