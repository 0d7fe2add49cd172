"""Other people at Tenure's service and at the edges before it, so that a log is as full as a real one."""

import os
import random
import subprocess
import threading
import time
import urllib.error
import urllib.request

from lab.tenure import PASSWORD, TENURE

NAMES = ("mara.lindqvist", "j.okafor", "tomas.brandt", "li.wen", "petra.novak", "s.haddad", "amelie.roux", "k.tanaka")
BOTS = ("/.env", "/wp-login.php", "/actuator/health", "/.git/config", "/robots.txt", "/api/v1/pods", "/favicon.ico")
AGENTS = ("okhttp/4.12.0", "Shop/812 CFNetwork/1498.700.2 Darwin/23.6.0", "Dart/3.5 (dart:io)", "node",
          "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36")


def add_users(service, names=NAMES):
    """Accounts with the demo's password; their e-mail addresses."""
    emails = [f"{name}@example.net" for name in names]
    for email in emails:
        subprocess.run([TENURE, "user", "add", email, "--config", service.file, "--data", service.data, "--dev"],
                       input=f"{PASSWORD}\n", text=True, capture_output=True, check=True,
                       env={**os.environ, "HOME": str(service.lab.folder)})
    return emails


def enter(service, email, client="app", password=PASSWORD):
    """Status and tokens of a sign-in."""
    body = {"email": email, "password": password, "client_id": client}
    code, _, answered = service.call("/api/auth/login", body)
    return code, answered


def bustle(service, emails, rounds=3, client="app", seed=7):
    """Sign-ins, wrong passwords, refreshes, duplicates within grace, signing out; what goes on on any day."""
    chance = random.Random(seed)

    def one(email):
        code, tokens = enter(service, email, client)
        if code != 200:
            return
        for turn in range(rounds):
            time.sleep(chance.uniform(0.05, 0.4))
            before = tokens["refresh_token"]
            code, _, more = service.refresh(before, client)
            tokens = more if code == 200 else tokens
            if chance.random() < 0.25:
                service.refresh(before, client)
            if chance.random() < 0.2:
                enter(service, email, client, "not-the-password")
            if chance.random() < 0.3:
                service.call("/api/auth/me", headers={"authorization": f"Bearer {tokens['access_token']}"})
        if chance.random() < 0.3:
            service.call("/oauth2/revoke", token=tokens["refresh_token"], client_id=client)

    together([lambda email=email: one(email) for email in emails])


def together(steps):
    threads = [threading.Thread(target=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def get(url, agent=AGENTS[0], data=None, **fields):
    """Status of one request."""
    headers = {"user-agent": agent, **{name.replace("_", "-"): value for name, value in fields.items()}}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answered:
            answered.read()
            return answered.status
    except urllib.error.HTTPError as refused:
        refused.read()
        return refused.code
    except OSError:
        return 0


def visitors(base, token=None, path="/api/auth/me", times=12, seed=3):
    """Requests of others at an edge: health checks, crawlers, apps with and without a token."""
    chance = random.Random(seed)
    for _ in range(times):
        get(f"{base}/health/live", "kube-probe/1.30")
        if chance.random() < 0.5:
            get(base + chance.choice(BOTS), "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)")
        if token:
            get(base + path, chance.choice(AGENTS), authorization=f"Bearer {token}")
        if chance.random() < 0.3:
            get(base + path, chance.choice(AGENTS))
        time.sleep(chance.uniform(0.01, 0.08))
