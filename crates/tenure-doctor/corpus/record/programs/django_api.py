"""An orders API with Django REST framework (simplejwt, its own tokens, sessions); OPTIONS (JSON) says what is wrong."""

import json
import os
import sys

import django
from django.conf import settings
from django.core.management.utils import get_random_secret_key

DEFAULTS = {"secret": "only-for-this-lab-only-for-this-lab", "signing_key": None, "pem": None, "algorithm": "HS256", "audience": None, "issuer": None,
            "authentication": ["rest_framework_simplejwt.authentication.JWTAuthentication"], "origins": [], "database": ":memory:",
            "leeway": 0, "secure_proxy": False}
OPTIONS = DEFAULTS | json.loads(os.environ["OPTIONS"])
SECRET = get_random_secret_key() if OPTIONS["secret"] == "random" else OPTIONS["secret"]
CONSOLE = {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stdout"}
settings.configure(
    DEBUG=False,
    SECRET_KEY=SECRET,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": OPTIONS["database"]}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "rest_framework", "rest_framework.authtoken"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
    CSRF_TRUSTED_ORIGINS=OPTIONS["origins"],
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https") if OPTIONS["secure_proxy"] else None,
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": OPTIONS["authentication"], "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
    SIMPLE_JWT={"SIGNING_KEY": OPTIONS["signing_key"] or SECRET, "VERIFYING_KEY": OPTIONS["pem"] or "", "ALGORITHM": OPTIONS["algorithm"], "AUDIENCE": OPTIONS["audience"],
                "ISSUER": OPTIONS["issuer"], "LEEWAY": OPTIONS["leeway"]},
    LOGGING={"version": 1, "disable_existing_loggers": False, "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
             "handlers": {"console": CONSOLE}, "root": {"handlers": ["console"], "level": "INFO"},
             "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False},
                         "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}}},
)
django.setup()

from django.contrib.auth import authenticate, login  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command, execute_from_command_line  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from rest_framework.decorators import api_view, permission_classes  # noqa: E402
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402


@api_view(["GET", "POST"])
@permission_classes([IsAuthenticated])
def orders(request, number=None):
    return Response({"orders": [17], "user": request.user.get_username()})


@api_view(["GET"])
@permission_classes([AllowAny])
def catalogue(request):
    return Response({"items": ["chair", "table"]})


@api_view(["GET"])
@permission_classes([IsAdminUser])
def reports(request):
    return Response({"reports": []})


def sign_in(request):
    if request.method == "POST":
        user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
        if user:
            login(request, user)
            return HttpResponse("<p>Welcome</p>")
    return HttpResponse(f'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}"></form>')


def account(request):
    return JsonResponse({"user": request.user.get_username()}, status=200 if request.user.is_authenticated else 401)


urlpatterns = [
    path("health", lambda request: HttpResponse("ok")), path("api/orders", orders), path("api/orders/<int:number>", orders), path("api/me", orders),
    path("api/catalogue", catalogue), path("api/admin/reports", reports), path("accounts/login/", sign_in), path("account", account),
]
if os.environ.get("MIGRATE") or OPTIONS["database"] == ":memory:":
    call_command("migrate", verbosity=0)
if __name__ == "__main__":
    if not User.objects.exists():
        for number, name in enumerate(["root", *(f"user{number}" for number in range(1, 10))]):
            user = User.objects.create_user(name, password="Throwaway-1", is_staff=number == 0)
            Token.objects.create(user=user, key=f"{number:040x}")
    if os.environ.get("MIGRATE"):
        sys.exit()
    execute_from_command_line([sys.argv[0], "runserver", "--noreload", "--nothreading", f"127.0.0.1:{OPTIONS['port']}"])
