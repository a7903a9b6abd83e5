"""A Django application that signs people in with allauth, by the settings of docs/relying-parties.md (`vestibule.py`)."""

import sys
from wsgiref.simple_server import make_server

from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import include, path

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
sys.path.append(FOLDER)
from vestibule import SOCIALACCOUNT_PROVIDERS


def home(request):
    """The claims of whoever is signed in."""
    if not request.user.is_authenticated:
        return JsonResponse(None, safe=False)
    [account] = request.user.socialaccount_set.all()
    user = {"name": request.user.get_full_name(), "email": request.user.email}
    return JsonResponse(account.get_provider_account().get_user_data() | user)


settings.configure(
    SECRET_KEY="for the cookies of this run",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    LOGIN_REDIRECT_URL="/",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    SOCIALACCOUNT_PROVIDERS=SOCIALACCOUNT_PROVIDERS,
)
application = get_wsgi_application()
urlpatterns = [path("", home), path("accounts/", include("allauth.urls"))]
call_command("migrate", verbosity=0)
with make_server("127.0.0.1", PORT, application) as server:
    print("ready", flush=True)
    server.serve_forever()
