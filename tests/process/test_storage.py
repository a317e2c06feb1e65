"""The store of files that machines share: what names it, what it says when it cannot be used, what it hides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handsel.errors import SettingsError
from handsel.storage import Store, StoreError, read
from support import on_sqlite
from support.running import free_port
from support.s3 import S3

PASSWORD = "hush/hush+hush"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    server = S3()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_an_object_is_kept_listed_fetched_and_thrown_away(s3: S3, tmp_path: Path) -> None:
    store = Store(read(s3.url("one/site")))

    assert store.put("a/b.txt", b"hello")
    assert not store.put("a/b.txt", b"other", new=True)
    assert store.read("a/b.txt") == b"hello"
    assert store.read("a/none.txt") is None
    assert [entry.name for entry in store.entries("a")] == ["a/b.txt"]
    assert s3.objects("one/site/") == {"a/b.txt": b"hello"}
    store.fetch("a/b.txt", tmp_path / "b", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    assert (tmp_path / "b").read_bytes() == b"hello"
    with pytest.raises(StoreError, match="is damaged"):
        store.fetch("a/b.txt", tmp_path / "c", "0" * 64)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    store.delete(["a/b.txt", "a/none.txt"])
    assert store.entries("a") == []


def test_the_key_may_stand_in_the_environment(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)

    store = Store(read(f"s3://handsel-files/env?endpoint={s3.endpoint}"))

    store.try_out()
    assert store.entries("") == [], "it leaves nothing behind"


@on_sqlite
@pytest.mark.parametrize(("wrong", "words"), [
    ({"secret": PASSWORD}, "The secret does not belong to the access key. Check AWS_SECRET_ACCESS_KEY."),
    ({"key": "nobody", "secret": PASSWORD}, "It does not know the access key. Check AWS_ACCESS_KEY_ID."),
    ({"bucket": "no-such-bucket"}, "There is no such bucket. Make it, closed to the public, or mend its name."),
    ({"endpoint": "http://127.0.0.1:{port}"},
     "It does not answer. Check the endpoint and the network; we go on trying."),
])
def test_what_keeps_it_from_being_used_is_said_in_words_and_without_the_key(
        s3: S3, handsel: Callable[..., Any], wrong: dict[str, str], words: str) -> None:
    wrong = {name: value.format(port=free_port()) for name, value in wrong.items()}
    url = s3.url("p", **wrong)

    told = handsel("doctor", HANDSEL_STORAGE_URL=url)

    assert told.exit_code == 1
    said = " ".join(told.output.split())
    assert f"mend HANDSEL_STORAGE_URL: s3://{wrong.get('bucket', 'handsel-files')}/p: {words}" in said
    assert not [hidden for hidden in (PASSWORD, "hush", s3.secret) if hidden in told.output]
    with pytest.raises(StoreError) as caught:
        Store(read(url)).entries("")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "the library's words never reach a log"


def test_a_key_without_the_right_to_put_is_told_so(s3: S3) -> None:
    key, secret = s3.powerless

    with pytest.raises(StoreError, match="It does not let this key do that"):
        Store(read(s3.url("p", key=key, secret=secret))).try_out()


@on_sqlite
def test_doctor_has_nothing_to_say_about_a_store_that_works(s3: S3, handsel: Callable[..., Any]) -> None:
    told = handsel("doctor", HANDSEL_STORAGE_URL=s3.url("d"))

    assert "HANDSEL_STORAGE_URL" not in told.output
    assert s3.objects("d") == {}


@on_sqlite
def test_config_shows_where_the_store_is_and_not_its_secret(s3: S3, handsel: Callable[..., Any]) -> None:
    told = handsel("config", HANDSEL_STORAGE_URL=s3.url("p", key="AKIA", secret=PASSWORD))

    assert "storage_url" in told.output
    assert "s3://AKIA:********@handsel-files/p?…" in told.output
    assert "hush" not in told.output


@on_sqlite
@pytest.mark.parametrize(("url", "words"), [
    ("gs://bucket/p", "We keep files in stores that speak S3 alone."),
    ("s3:///p", "It names no bucket."),
    ("s3://KEY:hush/hush@bucket/p", "It is no address of a store."),
    ("s3://KEY:hush@bucket/p?regoin=x", "There is no option 'regoin'. Did you mean 'region'?"),
    ("s3://KEY:hush@bucket/p?endpoint=minio:9000", "The endpoint is no address."),
])
def test_a_setting_that_cannot_be_used_is_refused_at_once_without_being_repeated(
        handsel: Callable[..., Any], url: str, words: str) -> None:
    told = handsel("doctor", HANDSEL_STORAGE_URL=url)

    assert told.exit_code == 1
    assert words in " ".join(told.output.split())
    assert "hush" not in told.output


def test_a_place_is_printed_without_its_key() -> None:
    place = read("s3://AKIA:hu%2Fsh@bucket/a/b/?endpoint=https://minio.internal:9000/&region=eu-1")

    assert (place.key, place.secret, place.endpoint, place.region) == (
        "AKIA", "hu/sh", "https://minio.internal:9000", "eu-1")
    assert str(place) == "s3://bucket/a/b"
    assert not [word for word in ("AKIA", "hu/sh") if word in repr(place)]
    with pytest.raises(SettingsError):
        read("https://bucket.example")
