"""Authlib as its documentation shows it: a Flask application that signs people in, and sessions that call for themselves."""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import flask
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

from browser import Browser

ISSUER, FOLDER = sys.argv[1], Path(sys.argv[2])
WORLD = json.loads((FOLDER / "apply.json").read_text())
[ANNA] = WORLD["users"]
CLIENTS = {client["client_id"]: client for client in WORLD["clients"]}
METADATA = f"{ISSUER}/.well-known/openid-configuration"
PROVIDER = requests.get(METADATA, timeout=30).json()


def proof(client_id):
    """How this client authenticates: the method, and its secret or private key."""
    registered = CLIENTS[client_id]
    method = registered["token_endpoint_auth_method"]
    if method == "private_key_jwt":
        return method, ECKey.import_key((FOLDER / "key.pem").read_text())
    return method, registered.get("client_secret")


def signed_assertions():
    # By default the library would name whatever endpoint it asks as the audience; this provider takes its issuer or this.
    return PrivateKeyJWT(PROVIDER["token_endpoint"], headers={"kid": "office"}, alg="ES256")


def application(client_id):
    """A web application that signs people in as this client."""
    method, secret = proof(client_id)
    app = flask.Flask(client_id)
    app.secret_key = "for the cookies of this run"
    provider = OAuth(app).register(
        client_id,
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=METADATA,
        client_kwargs={
            "scope": "openid profile email offline_access",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": method,
        },
        client_auth_methods=[signed_assertions()],
        authorize_params={"prompt": "consent"},  # without it nothing works offline
    )
    [callback] = CLIENTS[client_id]["redirect_uris"]
    [bye] = CLIENTS[client_id]["post_logout_redirect_uris"]

    @app.get("/login")
    def login():
        return provider.authorize_redirect(callback)

    @app.get("/callback")
    def called_back():
        token = provider.authorize_access_token()
        flask.session["id_token"] = token["id_token"]
        return dict(token, person=provider.userinfo(token=token))

    @app.get("/logout")
    def logout():
        return provider.logout_redirect(bye, id_token_hint=flask.session["id_token"])

    @app.get("/bye")
    def signed_out():
        return provider.validate_logout_response()

    return app


def session(client_id):
    """What the client uses between its logins."""
    method, secret = proof(client_id)
    # The library takes the method of the token endpoint for introspection, but not for revocation.
    client = OAuth2Session(
        client_id, secret, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    )
    client.register_client_auth_method(signed_assertions())
    return client


def answer_of(app, url):
    """The application's answer at an address where the browser arrived."""
    parts = urlsplit(url)
    answer = app.get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 200, answer.text
    return answer.json


def sign_in(app, client_id, browser):
    [callback] = CLIENTS[client_id]["redirect_uris"]
    page = browser.open(app.get("/login").location, callback)
    steps = []
    while page.step:
        steps.append(page.step)
        names = ("tenant", "username", "password") if page.step == "identify" else ()
        page = browser.submit(page, {name: ANNA[name] for name in names}, callback)
    assert page.url.startswith(callback), f"{client_id} stands at {page.url}: {page.html}"
    assert steps == ["identify", "consent"], steps
    return answer_of(app, page.url)


def sign_out(app, client_id, browser):
    [bye] = CLIENTS[client_id]["post_logout_redirect_uris"]
    page = browser.open(app.get("/logout").location, bye)
    if page.step == "confirm_sign_out":
        page = browser.submit(page, {}, bye)
    assert page.url.startswith(bye), f"{client_id} stands at {page.url}: {page.html}"
    assert answer_of(app, page.url) == {"post_logout_redirect_uri": bye}


def refused(act, error):
    try:
        act()
    except OAuthError as refusal:
        assert refusal.error == error, refusal
    else:
        raise AssertionError(f"was not refused with {error}")


def whole_story(client_id):
    """What every application does, however it authenticates."""
    app, browser = application(client_id).test_client(), Browser()
    token = sign_in(app, client_id, browser)
    # The claims of the ID token, as the library validated them.
    claims = token["userinfo"]
    assert claims["iss"] == ISSUER and claims["aud"] in (client_id, [client_id]), claims
    person = token["person"]
    assert person["sub"] == claims["sub"], person
    assert {name: person[name] for name in ("name", "email")} == {"name": ANNA["name"], "email": ANNA["email"]}

    with session(client_id) as client:
        def refresh(refresh_token):
            return client.refresh_token(PROVIDER["token_endpoint"], refresh_token=refresh_token)

        refreshed = refresh(token["refresh_token"])
        assert refreshed["refresh_token"] != token["refresh_token"], "refresh tokens rotate"
        if client_id != "phone":  # who proves nothing may ask for no meaning
            meaning = introspect(client, refreshed["access_token"])
            assert meaning["active"] and meaning["client_id"] == client_id, meaning
        sign_out(app, client_id, browser)
        revoked = client.revoke_token(
            PROVIDER["revocation_endpoint"], refreshed["refresh_token"], token_type_hint="refresh_token"
        )
        assert revoked.status_code == 200, revoked.text
        refused(lambda: refresh(refreshed["refresh_token"]), "invalid_grant")


def introspect(client, token):
    return client.introspect_token(PROVIDER["introspection_endpoint"], token).json()


def acts_for_itself():
    """Something that runs in the night, and the interface that it calls."""
    [resource] = CLIENTS["batch"]["audiences"]
    with session("batch") as client:
        token = client.fetch_token(
            PROVIDER["token_endpoint"], grant_type="client_credentials", scope="orders:read", resource=resource
        )
    assert "refresh_token" not in token, token
    with session("api") as client:
        meaning = introspect(client, token["access_token"])
    seen = [meaning.get(name) for name in ("active", "client_id", "scope", "aud")]
    assert seen == [True, "batch", "orders:read", resource], meaning


for name in ("shop", "office", "phone"):
    whole_story(name)
acts_for_itself()
print("Authlib: all as expected")
