"""Describe data as Croissant, the metadata format for machine learning by MLCommons.

Source: Croissant format specification 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html.
"""

import csv
import os
import pathlib
import re
from typing import Any

from ftkeras.data.tables.delimited import Delimited
from ftkeras.dossiers.subject import UNLABELLED, Subject
from ftkeras.errors import UserError

VERSION = "http://mlcommons.org/croissant/1.0"
# The terms of the specification; whoever reads the file needs no network.
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".parquet": "application/x-parquet",
    ".txt": "text/plain",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}
# By which readers of Croissant split the rows of a text file; it has no words for others.
DELIMITERS = {".csv": ",", ".tsv": "\t"}


def describe(subject: Subject, data: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata, as JSON-LD.

    Args:
        subject: the run.
        data: the content of data.json.
    """
    source, about = data["source"], subject.about
    author = about.text("data.author")
    objects = _objects(data["files"], subject.output)
    # Files without labels lack the columns that the others have.
    labelled = {file["path"] for file in data["files"] if file["split"] != UNLABELLED}
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": source.get("name") or subject.view.title,
        "description": _about(subject, data),
        "url": about.text("data.download") or _address(source.get("source", "")),
        # Whether it is a person, nobody has stated.
        "creator": author and {"@type": "sc:Organization", "name": author},
        "datePublished": about.text("data.released"),
        "license": source.get("license"),
        "version": source.get("version"),
        "citeAs": source.get("citation"),
        "inLanguage": source.get("languages"),
        "temporalCoverage": source.get("time_span"),
        "rai:dataCollection": source.get("collection"),
        "rai:dataAnnotationProtocol": source.get("labeling"),
        "rai:dataPreprocessingProtocol": source.get("cleaning"),
        "rai:dataLimitations": source.get("gaps"),
        "distribution": list(objects.values()),
        "recordSet": _record_sets(
            subject, {path: one for path, one in objects.items() if path in labelled}
        ),
    }
    return {name: value for name, value in described.items() if value}


def _address(text: str) -> str:
    """Return a text if it is an address; "" if it says otherwise where the data come from."""
    return text if re.fullmatch(r"https?://\S+", text) else ""


def _about(subject: Subject, data: dict[str, Any]) -> str:
    counts = ", ".join(f"{s['examples']:,} in {name}" for name, s in data["splits"].items())
    return f"Texts that a {subject.view.problem.kind} was trained and evaluated on: {counts}."


def _objects(files: list[dict[str, Any]], folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Return a FileObject for each file, by its path; one that two splits read is listed once.

    Args:
        files: those of data.json.
        folder: where the metadata will be.
    """
    unique = {file["path"]: file for file in files}
    return {
        path: {
            "@type": "cr:FileObject",
            "@id": f"file-{number}",
            "name": pathlib.PurePath(path).name,
            "contentUrl": _relative(path, folder),
            "contentSize": f"{file['bytes']} B",
            "encodingFormat": MEDIA_TYPES.get(_suffix(path), "application/octet-stream"),
            "sha256": file["sha256"],
        }
        for number, (path, file) in enumerate(unique.items())
    }


def _relative(path: str, folder: pathlib.Path) -> str:
    """Return the path from a folder to a file, whose own link stays, as its name tells the format.

    Links to the folder are resolved, because `..` leads to the parent of where they lead.
    """
    return pathlib.Path(os.path.relpath(os.path.abspath(path), folder.resolve())).as_posix()


def _record_sets(subject: Subject, objects: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a RecordSet for each table whose columns the run knows, and that can be read.

    Args:
        subject: the run.
        objects: the FileObjects of the tables, by path.
    """
    columns = getattr(subject.task, "columns", {})
    named = {
        role: name
        for role in ("text", "pair", "label")
        for name in [_single(columns.get(role))]
        if isinstance(name, str)
    }
    return [
        {
            "@type": "cr:RecordSet",
            "@id": f"records-of-{one['@id']}",
            "name": f"records-of-{one['@id']}",
            "description": f"The rows of {one['name']}.",
            "field": [_field(one, role, name) for role, name in named.items()],
        }
        for path, one in objects.items()
        if named and _is_readable(pathlib.Path(path), tuple(named.values()))
    ]


def _is_readable(path: pathlib.Path, columns: tuple[str, ...]) -> bool:
    """Return whether a file has rows with named columns that need no further description."""
    delimiter = DELIMITERS.get(_suffix(path))
    if delimiter is None:
        return _suffix(path) == ".parquet"
    try:
        table = Delimited(path, expected=columns)
    except UserError:  # such as bytes that are not UTF-8
        return False
    is_plain = table.dialect.delimiter == delimiter and not table.dialect.skipped
    if not (is_plain and table.header and table.encoding in ("utf-8", "utf-8-sig")):
        return False
    return _is_read_alike(path, delimiter, columns, quoted=table.dialect.quoted)


def _is_read_alike(
    path: pathlib.Path, delimiter: str, columns: tuple[str, ...], *, quoted: bool
) -> bool:
    """Return whether readers of Croissant, which take quotes as in RFC 4180, find the same rows.

    They also leave the blanks around the names of columns, which this package strips.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file, delimiter=delimiter))
        return set(columns) <= set(names) and (quoted or not any('"' in line for line in file))


def _field(one: dict[str, Any], role: str, column: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"records-of-{one['@id']}/{role}",
        "name": role,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": one["@id"]}, "extract": {"column": column}},
    }


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _suffix(path: str | pathlib.Path) -> str:
    return pathlib.PurePath(path).suffix.lower()
