"""What a file is: a picture, a video, or something that is no file at all.

A file is told by how it begins, not by its name alone. Nothing is decoded.
"""

import os
import stat

from PIL import Image

PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp"),
    *(".tif", ".tiff", ".pgm", ".ppm", ".pnm", ".jp2", ".avif", ".ico"),
    ".tga",
)
# Read where pillow-heif is installed.
HEIF_SUFFIXES = (".heic", ".heif", ".hif")
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"),
    *(".ts", ".wmv", ".flv", ".3gp", ".ogv", ".mjpg", ".mjpeg"),
    *(".mts", ".m2ts", ".m2t", ".h264", ".264", ".h265", ".265", ".hevc"),
    *(".3g2", ".asf", ".f4v", ".vob", ".mxf", ".divx", ".ogm", ".m1v"),
    *(".m2v", ".mpv", ".mpe", ".y4m", ".ivf", ".dv", ".rmvb"),
)
# Where in a file -> what stands there, for containers of videos.
VIDEO_MARKS = {
    4: (b"ftyp", b"moov", b"mdat"),  # MP4, MOV
    8: (b"AVI ",),
    0: (
        *(b"\x1a\x45\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"),
        *(b"FLV\x01", b"OggS", b"\x30\x26\xb2\x75", b"YUV4MPEG2", b"DKIF"),
        *(b"\x00\x00\x00\x01\x67", b"\x00\x00\x00\x01\x40"),  # H.264, H.265
    ),
}
# What pictures begin with; damaged ones do not become videos.
PICTURE_MARKS = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*"),
    *(b"RIFF", b"\x00\x00\x00\x0cjP", b"\x00\x00\x01\x00", b"P4", b"P5", b"P6"),
)
# MPEG transport streams: where 0x47 stands at this distance, plain and as
# camcorders write it.
TRANSPORT_STARTS, TRANSPORT_STEPS = (0, 4), (188, 192)
# Brands of HEIC pictures, after the mark they share with MP4.
HEIF_BRANDS = (
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"msf1"),
)
HEAD_BYTES = 1024
SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def special(path: str | os.PathLike) -> str:
    """Names what is no file, such as "a pipe"; "" for files and folders.

    So does it for what is not there: opening it says why.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return ""
    return SPECIAL.get(stat.S_IFMT(mode), "")


def refusal(path: str | os.PathLike) -> str:
    """Says why the system does not open a file; "" when it does."""
    try:
        with open(path, "rb"):
            return ""
    except OSError as error:
        return error.strerror


def is_heif(head: bytes) -> bool:
    """Whether a file that begins so is a HEIC picture."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def is_video(path: str) -> bool:
    """Whether a file is to be read as a video.

    A file that is neither counts as a picture, whose reader says what is
    wrong; so does one that is not there, unless it is named like a video.
    """
    is_named_so = _suffix(path) in VIDEO_SUFFIXES
    head = _head(path)
    if is_heif(head):
        return False
    return (is_named_so or _begins_as_video(head)) and not _is_picture(path)


def may_be_video(path: str) -> bool:
    """Whether trying a file that is no picture as a video makes sense.

    It does for what neither begins as a picture nor is named like one; FFmpeg
    would take those, and text, for a video, too.
    """
    head = _head(path)
    if _suffix(path) in PICTURE_SUFFIXES + HEIF_SUFFIXES or b"\0" not in head:
        return False
    is_one = head.startswith(PICTURE_MARKS) or is_heif(head)
    return not is_one and not _is_picture(path)


def _begins_as_video(head: bytes) -> bool:
    if any(head[at:].startswith(marks) for at, marks in VIDEO_MARKS.items()):
        return True
    return any(
        head[start : start + 3 * step : step] == b"GGG"  # 0x47
        for start, step in zip(TRANSPORT_STARTS, TRANSPORT_STEPS, strict=True)
    )


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _is_picture(path: str) -> bool:
    # AVIF pictures begin as MP4 videos do; Pillow names MPEG videos as well.
    try:
        with Image.open(path) as image:
            return image.format != "MPEG"
    except Exception:  # Pillow's openers raise a dozen kinds.
        return False
