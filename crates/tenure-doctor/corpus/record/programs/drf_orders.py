"""An orders API with Django REST framework; OPTIONS (JSON in the environment) says what is wrong."""

import json
import os
import sys

import django
import jwt
from django.conf import settings

DEFAULTS = {"secret": "", "first": "bearer", "csrf": False}
OPTIONS = DEFAULTS | json.loads(os.environ["OPTIONS"])
settings.configure(
    DEBUG=False,
    SECRET_KEY="only-for-this-lab",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "rest_framework"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"]
    + (["django.middleware.csrf.CsrfViewMiddleware"] if OPTIONS["csrf"] else []),
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"], "UNAUTHENTICATED_USER": None},
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import execute_from_command_line  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.authentication import BaseAuthentication, SessionAuthentication  # noqa: E402
from rest_framework.exceptions import AuthenticationFailed  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Bearer(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            claims = jwt.decode(token, OPTIONS["secret"], ["HS256"], audience="orders-api")
        except jwt.PyJWTError as error:
            raise AuthenticationFailed(str(error)) from error
        return User(username=claims["sub"]), token

    def authenticate_header(self, request):
        return 'Bearer realm="orders"'


class Orders(APIView):
    authentication_classes = [SessionAuthentication, Bearer] if OPTIONS["first"] == "session" else [Bearer]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"orders": [17], "user": request.user.username})

    post = get


def plain(request):
    """A view without the framework: Django's own protection against forged requests is in front of it."""
    try:
        claims = jwt.decode(request.headers.get("Authorization", "")[7:], OPTIONS["secret"], ["HS256"], audience="orders-api")
    except jwt.PyJWTError as error:
        return JsonResponse({"detail": str(error)}, status=401)
    return JsonResponse({"created": request.method == "POST", "user": claims["sub"]})


urlpatterns = [path("orders", Orders.as_view()), path("baskets", plain)]
execute_from_command_line([sys.argv[0], "runserver", "--noreload", f"127.0.0.1:{OPTIONS['port']}"])
