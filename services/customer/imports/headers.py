"""What the columns of a file may mean, by what stands above and in them. Pure functions.

A header is compared without accents, case and signs: "Số ĐT", "so_dt" and "SO DT" are one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.customer.customers.identities import normalise_email
from services.customer.imports.cells import CellProblem, read_day
from shared.phone import normalise_phone
from shared.text import search_key

_SIGNS: Final = re.compile(r"[^a-z0-9]+")
_SAMPLE: Final = 20
_WORDS: Final[Mapping[str, str]] = {
    "name": "ten;ho ten;ho va ten;hoten;ten khach;ten khach hang;ten kh;khach hang;name;full name;"
    "fullname;customer name;customer;contact name;ten day du;ten nguoi mua;nguoi mua;ho ten kh",
    "family_name": "ho;ho dem;ho va ten dem;ho lot;last name;lastname;family name;surname",
    "first_name": "ten goi;first name;firstname;given name;ten rieng",
    "email": "email;e mail;mail;thu dien tu;dia chi email;email address;hop thu;gmail",
    "phone": "phone;phone number;mobile;mobile phone;tel;telephone;cell;cellphone;sdt;so dt;dt;"
    "dien thoai;so dien thoai;dien thoai di dong;di dong;dtdd;so di dong;hotline;phone 1;phone 2;"
    "dien thoai 1;dien thoai 2;sdt 1;sdt 2;so dien thoai 2;so dt khach;lien he;so may;zalo;so zalo",
    "gender": "gender;sex;gioi tinh;gt;phai",
    "birth_date": "birth date;birthdate;birthday;date of birth;dob;ngay sinh;sinh nhat;nam sinh;"
    "ngay thang nam sinh;sn",
    "address": "address;full address;street address;dia chi;dc;dia chi giao hang;"
    "dia chi khach hang;noi o;dia chi lien he;address 1;shipping address",
    "city": "city;town;thanh pho;quan huyen",
    "province": "province;state;tinh;tinh thanh;tinh thanh pho;tinh tp",
    "country": "country;country code;quoc gia;nuoc",
    "tags": "tag;tags;label;labels;nhan;the;nhom;nhom khach hang;nhom khach;phan loai;loai khach;"
    "loai khach hang;group;segment",
    "code": "code;customer code;ma khach hang;ma kh;makh",
    "external_id": "external id;externalid;customer id;customerid;id khach hang;id khach;ma ngoai;"
    "user id;ma hoi vien;so the;ma the;member id",
    "note": "note;notes;comment;comments;remark;remarks;ghi chu;chu thich;mo ta;luu y",
    "created_at": "created at;created;create date;created date;date created;registered at;"
    "ngay tao;ngay dang ky;khach tu;ngay tham gia;ngay gia nhap;customer since",
    "occupation": "occupation;job;profession;nghe nghiep;nghe",
    "position": "position;job title;title;chuc vu;chuc danh",
    "honorific": "honorific;salutation;xung ho;danh xung",
    "tax_code": "tax code;tax id;vat number;ma so thue;mst",
    "consent.marketing.email": "accepts email marketing;email marketing;nhan email;"
    "dong y nhan email",
    "consent.marketing.sms": "accepts sms marketing;sms marketing;nhan sms;dong y nhan sms",
    "consent_at": "consent at;consent date;ngay dong y",
    "consent_proof": "consent proof;consent text;bang chung dong y;noi dung dong y",
}
_TARGETS: Final[Mapping[str, str]] = {
    word: target for target, words in _WORDS.items() for word in words.split(";")
}
MANY_COLUMNS: Final = frozenset({"phone", "email", "tags", "note"})
"""What several columns may tell."""


def header_key(header: str) -> str:
    """A header without accents, case and signs."""
    return _SIGNS.sub(" ", search_key(header)).strip()


def target_of_header(header: str) -> str | None:
    """What a header says that its column holds."""
    key = header_key(header)
    if key.startswith("attributes "):
        return f"attributes.{attribute_name(header.split('.', 1)[-1])}"
    return _TARGETS.get(key)


def attribute_name(header: str) -> str:
    """A name of an attribute made of a header."""
    name = header_key(header).replace(" ", "_")[:64]
    return name if name[:1].isalpha() else f"column_{name}"[:64]


def suggestions(
    headers: Sequence[str], samples: Sequence[Sequence[str]], *, region: str
) -> list[str | None]:
    """What each column seems to be, by its header, or else by its values; None for no idea.

    What only one column can tell is suggested once.
    """
    found: list[str | None] = []
    for header, values in zip(headers, samples, strict=True):
        target = target_of_header(header) or target_of_values(values, region=region)
        if target in found and target not in MANY_COLUMNS:
            target = None
        found.append(target)
    return found


def target_of_values(values: Sequence[str], *, region: str) -> str | None:
    """What values alone say: addresses of e-mail and numbers of phones are told by their form."""
    told = [value for value in values if value.strip()][:_SAMPLE]
    if not told:
        return None
    if _most(told, lambda value: normalise_email(value) is not None):
        return "email"
    if _most(told, lambda value: _is_phone(value, region)):
        return "phone"
    if _most(told, _is_birth_date):
        return "birth_date"
    return None


def looks_like_data(cells: Sequence[str], *, region: str) -> bool:
    """Whether a row has what no header has: an address of e-mail, or a number of a phone."""
    return any(normalise_email(cell) is not None or _is_phone(cell, region) for cell in cells)


def _most(values: Sequence[str], is_one: Callable[[str], bool]) -> bool:
    return sum(map(is_one, values)) >= 0.8 * len(values)


def _is_phone(value: str, region: str) -> bool:
    digits = sum(char.isdigit() for char in value)
    return digits >= 9 and normalise_phone(value, region=region).e164 is not None


def _is_birth_date(value: str) -> bool:
    if "/" not in value and "-" not in value and "." not in value:
        return False
    try:
        return read_day(value, order="dmy") is not None
    except CellProblem:
        return False
