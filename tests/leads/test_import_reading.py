"""Files of leads as tables: whatever wrote them, and what hostile ones come to."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from handsel.errors import HandselError
from handsel.forms.library import Field
from handsel.leads.importing import workbook
from handsel.leads.importing.mapping import mapped
from handsel.leads.importing.row import Refused, Rules
from handsel.leads.importing.table import Broken, opened

TEXT = 'email,name,note\r\nada@example.org,"Zoë, the\r\nfirst",a\r\n\r\nbob@example.org,Bob,b\r\n'
ROWS = [(2, ["ada@example.org", "Zoë, the\r\nfirst", "a"]), (4, ["bob@example.org", "Bob", "b"])]


def written(folder: Path, data: bytes, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("encoding", "mark"), [
    ("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
    ("utf-16-le", b""), ("utf-16-be", b""), ("cp1252", b"")])
def test_every_usual_encoding_gives_the_same_rows(tmp_path, encoding, mark):
    table = opened(written(tmp_path, mark + TEXT.encode(encoding)))
    assert table.head == ("email", "name", "note")
    assert list(table.rows()) == ROWS
    assert ("Windows-1252" in table.note) == (encoding == "cp1252")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_of_the_head(tmp_path, sign):
    text = sign.join(["email", '"na,me;"', "c"]) + "\n" + sign.join(["ada@example.org", '"a,b;c"', "d"]) + "\n"
    table = opened(written(tmp_path, text.encode()))
    assert list(table.rows()) == [(2, ["ada@example.org", "a,b;c", "d"])]


def test_the_line_by_which_excel_names_the_separator_is_no_row(tmp_path):
    table = opened(written(tmp_path, b"sep=;\nemail;name\nada@example.org;A,B\n"))
    assert (table.head, list(table.rows())) == (("email", "name"), [(3, ["ada@example.org", "A,B"])])


def test_a_quotation_mark_that_never_ends_costs_its_own_row_only(tmp_path):
    text = "email,name\nada@example.org,Ada\nbob@example.org,\"Bob\n" + "x,y\n" * 60_000
    rows = list(opened(written(tmp_path, text.encode())).rows())
    assert rows[0] == (2, ["ada@example.org", "Ada"])
    assert isinstance(rows[1][1], Broken)
    assert "quotation mark is missing" in rows[1][1].reason
    assert rows[-1][1] == ["x", "y"]


@pytest.mark.parametrize(("data", "words"), [
    (b"", "nothing in it"), (b"\n\n\n", "nothing in it"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old kind"), (b"PK\x03\x04rubbish", "workbook")])
def test_a_file_that_is_no_table_says_what_to_do(tmp_path, data, words):
    with pytest.raises(HandselError, match=words) as caught:
        opened(written(tmp_path, data))
    assert caught.value.do


def test_a_workbook_reads_as_people_see_it(tmp_path):
    path = tmp_path / "fair.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        for column, name in enumerate(["Email", "Phone", "Met on", "Seen", "Sum", "Ok"]):
            sheet.write(0, column, name)
        sheet.write_string(2, 0, "ada@example.org")
        sheet.write_number(2, 1, 447911123456)
        sheet.write_datetime(2, 2, date(2026, 3, 2), day)
        sheet.write_datetime(2, 3, datetime(2026, 3, 2, 9, 30, tzinfo=UTC).replace(tzinfo=None), day)
        sheet.write_formula(2, 4, "=1+1", None, 2)
        sheet.write_boolean(2, 5, True)
        sheet.write_string(3, 2, "Zoë_x0041_")
    table = opened(path)
    assert table.head == ("Email", "Phone", "Met on", "Seen", "Sum", "Ok")
    assert list(table.rows()) == [
        (3, ["ada@example.org", "447911123456", "2026-03-02", "2026-03-02 09:30:00", "2", "yes"]),
        (4, ["", "", "Zoë_x0041_"])]


def made_workbook(path: Path, sheet: str, texts: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml",
                      '<workbook xmlns:r="r"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>')
        file.writestr("xl/_rels/workbook.xml.rels",
                      '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>')
        file.writestr("xl/worksheets/sheet1.xml", sheet)
        if texts:
            file.writestr("xl/sharedStrings.xml", texts)
    return path


def test_entities_are_refused_before_they_multiply(tmp_path):
    bomb = ('<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
            "<worksheet><sheetData><row><c t='str'><v>&b;</v></c></row></sheetData></worksheet>")
    with pytest.raises(HandselError, match="document type"):
        opened(made_workbook(tmp_path / "bomb.xlsx", bomb))
    file = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst><si><t>&a;</t></si></sst>'
    with pytest.raises(HandselError, match="document type"):
        opened(made_workbook(tmp_path / "file.xlsx", "<worksheet/>", file))


def test_a_zip_bomb_ends_at_the_cap_and_never_stands_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "TEXTS", 8 << 20)
    path = made_workbook(tmp_path / "bomb.xlsx", "<worksheet/>", "<sst><si><t>" + "a" * (64 << 20) + "</t></si></sst>")
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    with pytest.raises(HandselError, match="larger than 8 MB"):
        opened(path)
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


HUGE = 96 << 20
ONE_CELL = "<worksheet><sheetData><row><c t='str'><v>{}</v></c></row></sheetData></worksheet>"


@pytest.mark.parametrize(("sheet", "opens"), [
    (ONE_CELL.format("a" * HUGE), True), (f"<worksheet a='{'a' * HUGE}'/>", False),
    ("<worksheet>" + "<a>" * (HUGE // 8), False)])
def test_no_part_of_a_sheet_fills_the_memory(tmp_path, sheet, opens):
    path = made_workbook(tmp_path / "huge.xlsx", sheet)
    del sheet
    tracemalloc.start()
    if opens:
        assert len(opened(path).head[0]) == workbook.LONGEST
    else:
        with pytest.raises(HandselError, match="cannot be read"):
            opened(path)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_a_row_of_a_million_cells_is_wrong_and_no_more(tmp_path):
    rows = list(opened(written(tmp_path, b"email\na@example.org\n" + b"," * 900_000 + b"x\nb@example.org\n")).rows())
    assert rows[1] == (3, Broken("It has more than 500 cells, or 200,000 signs."))
    assert [rows[0][1], rows[2][1]] == [["a@example.org"], ["b@example.org"]]


def test_signs_that_steer_a_terminal_do_not_come_through_names_of_columns(tmp_path):
    table = opened(written(tmp_path, b'email,"na\x1b[2Jme\nx"\n'))
    assert table.head == ("email", "na [2Jme x")


def test_half_a_sign_from_a_workbook_is_left_out(tmp_path):
    path = made_workbook(tmp_path / "half.xlsx", "<worksheet><sheetData>" + "".join(
        f"<row><c t='str'><v>{text}</v></c></row>" for text in ("email", "ada_xD800_@example.org")
        ) + "</sheetData></worksheet>")
    table = opened(path)
    (_, cells), = table.rows()
    assert Rules(mapped(table.head, {}, {}, "x"), {}).said(2, list(cells)).email == "ada@example.org"


@pytest.mark.parametrize("sheet", [
    "<worksheet><sheetData><row r='1'><c r='XFD1'><v>1</v></c></row></sheetData></worksheet>",
    "<worksheet><sheetData><row r='x'>", "<worksheet><sheetData><row><c><v>nan?</v></c></row></sheetData></worksheet>",
    "<worksheet><sheetData><row><c t='s'><v>x</v></c></row></sheetData></worksheet>", "", "\0\0",
    "<?xml version='1.0' encoding='rot13'?><worksheet/>",
    "<worksheet><sheetData><row><c r='ß1'><v>1</v></c></row></sheetData></worksheet>"])
def test_a_broken_sheet_is_an_error_with_advice(tmp_path, sheet):
    with pytest.raises(HandselError) as caught:
        opened(made_workbook(tmp_path / "broken.xlsx", sheet))
    assert caught.value.do


def test_a_workbook_damaged_on_its_way_is_an_error_with_advice(tmp_path):
    path = made_workbook(tmp_path / "damaged.xlsx", ONE_CELL.format("email" * 40))
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1:])
        with contextlib.suppress(HandselError):
            list(opened(path).rows())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(HandselError, match="cannot be read"):
        opened(path)


def test_a_cell_of_a_style_that_is_not_there_is_a_plain_number(tmp_path):
    path = made_workbook(tmp_path / "style.xlsx", "<worksheet><sheetData>" + "".join(
        f"<row><c s='{style}'><v>4</v></c></row>" for style in ("-5", "-1", "9", "0")) + "</sheetData></worksheet>")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId='14'/></cellXfs></styleSheet>")
    table = opened(path)
    assert [table.head[0], *(cells[0] for _, cells in table.rows())] == ["4", "4", "4", "1900-01-03"]


LAYOUTS = {
    "ours": ("email,name,company,job_title,phone,country,stage,score,owner,tags,offers,source,captured_at,"
             "confirmed_at,consent,team_size",
             "email name company job_title phone country - - - tags - - - - consent team_size"),
    "mautic": ("id,title,firstname,lastname,company,position,email,mobile,phone,country,tags",
               "- - first_name last_name company job_title email phone - country tags"),
    "listmonk": ("uuid,email,name,attributes,status,created_at,updated_at", "- email name - status - -"),
    "hubspot": ("Record ID,First Name,Last Name,Email,Phone Number,Company Name,Job Title,Country/Region,"
                "Unsubscribed from all email",
                "- first_name last_name email phone company job_title country unsubscribed"),
    "kit": ("id,first_name,email_address,status,created_at,tags", "- first_name email status - tags"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_columns_of_usual_exports_are_known(layout):
    head, fields = LAYOUTS[layout]
    found = mapped(head.split(","), {}, {"team_size": Field("team_size", "select", "Team")}, "leads.csv")
    assert [field or "-" for field in found.fields] == fields.split()


@pytest.mark.parametrize(("given", "words"), [
    ({"Firm": "compny"}, "Did you mean 'company'"), ({"Frim": "company"}, "Did you mean 'Firm'"),
    ({"Firm": "email", "Mail": "email"}, "Two columns"), ({"Mail": ""}, "e-mail addresses")])
def test_a_mapping_that_cannot_be_is_an_error_that_knows_the_nearest(given, words):
    with pytest.raises(HandselError, match=words):
        mapped(["Mail", "Firm"], given, {}, "leads.csv")


def said(cells: list[str], head: str, **rules: object) -> object:
    custom = {"size": Field("size", "select", "Size", choices=(("s", "Small"), ("l", "Large"))),
              "own": Field("own", "checkbox", "Own?"), "met": Field("met", "text", "Met")}
    columns = mapped(head.split(","), {}, custom, "leads.csv")
    return Rules(columns, custom, **rules).said(2, cells)  # type: ignore[arg-type]


def test_a_row_says_what_its_cells_say():
    found = said(["Ada@EXAMPLE.org ", "Ada", "Marsh", "'=1+1", "Large", "yes", "Spring Fair; vip", ""],
                 "email,first_name,last_name,company,size,own,tags,met", tags=("all",))
    assert (found.email, found.address) == ("ada@example.org", "Ada@example.org")
    assert found.answers == {"first_name": "Ada", "last_name": "Marsh", "name": "Ada Marsh", "company": "=1+1",
                             "size": "l", "own": True}
    assert found.tags == ("all", "spring-fair", "vip")


@pytest.mark.parametrize(("cells", "words"), [
    (["nobody", "", "", ""], "'nobody' is not an e-mail address"), (["", "Ada", "", ""], "no e-mail address"),
    (["a@example.org", "x" * 201, "", ""], "at most 200 fit"), (["a@example.org", "", "huge", ""], "s, l"),
    (["a@example.org", "", "", "?!"], "cannot be a tag"), (["a@example.org", "", "", "", "more"], "5 cells")])
def test_a_row_that_cannot_be_taken_says_why(cells, words):
    with pytest.raises(Refused, match=words):
        said(cells, "email,name,size,tags")


@pytest.mark.parametrize(("status", "consent", "purposes", "block"), [
    ("enabled", "yes", ("advice", "tips"), ""), ("", "tips, other", ("tips",), ""), ("", "no", (), ""),
    ("unconfirmed", "yes", (), ""), ("blocklisted", "yes", (), "unsubscribe"), ("Bounced", "yes", (), "bounce"),
    ("complained", "yes", (), "complaint")])
def test_consent_comes_from_the_column_and_never_with_somebody_who_left(status, consent, purposes, block):
    found = said(["a@example.org", status, consent], "email,status,consent", purposes=("advice", "tips"))
    assert (found.purposes, found.block) == (purposes, block)


def test_any_date_or_yes_in_a_column_of_those_who_left_means_that_they_left():
    for cell, block in (("2024-01-05", "unsubscribe"), ("TRUE", "unsubscribe"), ("false", ""), ("", "")):
        assert said(["a@example.org", cell], "email,unsubscribed", purposes=("tips",)).block == block


def test_signs_that_no_text_holds_do_not_come_in(tmp_path):
    table = opened(written(tmp_path, b"email,name\nada@example.org,A\x00d\x07a\n"))
    (number, cells), = table.rows()
    rules = Rules(mapped(table.head, {}, {}, "leads.csv"), {})
    assert rules.said(number, list(cells)).answers == {"name": "Ada"}


def test_a_hundred_thousand_rows_are_read_in_little_memory(tmp_path):
    data = io.StringIO()
    data.write("email,name,company\n")
    data.writelines(f"lead{number}@example.org,Name {number},Company {number}\n" for number in range(100_000))
    path = written(tmp_path, data.getvalue().encode())
    tracemalloc.start()
    assert sum(1 for _ in opened(path).rows()) == 100_000
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
