"""A Django project in one file: `gunicorn django_app:application`. OPTIONS are settings, by their names."""

import json
import os
import sys
from datetime import timedelta

import django
from django.conf import settings
from django.core.management.utils import get_random_secret_key

options = json.loads(os.environ.get("OPTIONS", "{}"))
secret = options.pop("SECRET_KEY", "django-insecure-corpus-5t&k2v0q8z!f3w9x7c1m6b4n")
minutes = options.pop("access_minutes", 15)
settings.configure(**{
    "SECRET_KEY": get_random_secret_key() if secret == "random" else secret,
    "ALLOWED_HOSTS": ["*"], "ROOT_URLCONF": "django_app", "USE_TZ": True, "DEBUG": False,
    "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                       "rest_framework", "rest_framework_simplejwt.token_blacklist"],
    "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
                   "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DB", ":memory:"),
                              "OPTIONS": {"timeout": 20}}},
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "REST_FRAMEWORK": {"DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication", "rest_framework.authentication.SessionAuthentication"]},
    "SIMPLE_JWT": {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True,
                   "ACCESS_TOKEN_LIFETIME": timedelta(minutes=minutes), "REFRESH_TOKEN_LIFETIME": timedelta(days=14)},
    "LOGGING": {"version": 1, "disable_existing_loggers": False,
                "formatters": {"verbose": {"format": "{levelname} {asctime} {name} {process:d} {message}", "style": "{"}},
                "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "verbose"}},
                "root": {"handlers": ["console"], "level": "INFO"}},
    **options,
})
django.setup()

from django.contrib.auth import authenticate, get_user_model, login  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie  # noqa: E402
from rest_framework.decorators import api_view, permission_classes  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView  # noqa: E402


@csrf_exempt
def sign_in(request):
    given = json.loads(request.body)
    user = authenticate(request, username=given["username"], password=given["password"])
    if user is None:
        return JsonResponse({"detail": "Bad credentials"}, status=400)
    login(request, user)
    return JsonResponse({"user": user.username})


@ensure_csrf_cookie
def form(request):
    return JsonResponse({"ok": True})


@api_view(["GET"])
@permission_classes([IsAuthenticated])
def orders(request, **_):
    return Response({"user": request.user.username, "results": []})


urlpatterns = [
    path("healthz", lambda _: JsonResponse({"status": "ok"})),
    path("accounts/login/", form), path("api/login/", sign_in),
    path("api/token/", TokenObtainPairView.as_view()), path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/orders/", orders), path("api/me/", orders), path("api/carts/<int:number>/", orders),
]
application = get_wsgi_application()


def migrate(users):
    call_command("migrate", verbosity=0)
    for name in users:
        get_user_model().objects.create_user(name, password="corpus")


if __name__ == "__main__":
    migrate(sys.argv[1:])
