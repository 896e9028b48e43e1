/* What t-exiftool expects to differ, each with its reason. Paths are below the folder of photos. */
#ifndef TEST_EXIFTOOL_LISTS_H
#define TEST_EXIFTOOL_LISTS_H

typedef struct difference {
    const char *file, *field;
    const char *ours, *theirs;
    const char *why;
} difference;

/* Begins the reason of a difference that need not be there. */
#define SOME_VERSIONS "with some versions of exiv2 only: "
#define NIKON_NAME    "the same lens; exiv2's list of names has the maker in front"
#define CUT_SAMPLE    "a cut sample: exiftool gives the size of the preview, one of 8 x 8 pixels"

/* clang-format off: one line for the values, one for the reason. */
static const difference DIFFERENCES[] = {
    { "exiftool-images/t/images/NikonD70.jpg", "Lens",
      "Nikon AF-S DX Zoom-Nikkor 18-70mm f/3.5-4.5G IF-ED",
      "AF-S DX Zoom-Nikkor 18-70mm f/3.5-4.5G IF-ED", NIKON_NAME },
    { "exiftool-images/t/images/Nikon.nef", "Lens",
      "Nikon AF-S DX Zoom-Nikkor 18-70mm f/3.5-4.5G IF-ED",
      "AF-S DX Zoom-Nikkor 18-70mm f/3.5-4.5G IF-ED", NIKON_NAME },
    { "exiftool-images/t/images/NikonD2Hs.jpg", "Lens", "Nikon AF Nikkor 50mm f/1.8D",
      "AF Nikkor 50mm f/1.8D", NIKON_NAME },
    { "exif-samples/jpg/tests/32-lens_data.jpeg", "Lens",
      "Nikon AF-S Nikkor 28-300mm f/3.5-5.6G ED VR", "AF-S Nikkor 28-300mm f/3.5-5.6G ED VR",
      NIKON_NAME },
    { "exif-samples/jpg/exif-org/canon-ixus.jpg", "ISO", "63", "65",
      "no ISO in EXIF; exiftool multiplies two of Canon's logarithmic values, exiv2 takes one" },
    { "exiftool-images/t/images/FujiFilm.raf", "ImageWidth", "1440", "8", CUT_SAMPLE },
    { "exiftool-images/t/images/FujiFilm.raf", "ImageHeight", "960", "8", CUT_SAMPLE },
    { "exiftool-images/t/images/CanonRaw.crw", "FNumber", "3.5", "3.563594873",
      SOME_VERSIONS "0.28 rounds Canon's logarithmic value to the mark on the lens" },
    { "exiftool-images/t/images/CanonRaw.cr2", "ImageWidth", "3456", "1536",
      "exiftool gives the size of the preview, the raw picture is larger" },
    { "exiftool-images/t/images/CanonRaw.cr2", "ImageHeight", "2304", "1024",
      "exiftool gives the size of the preview, the raw picture is larger" },
    { "exiftool-images/t/images/ExifTool.jpg", "ExposureTime", "1/64", "1/155",
      "metadata of several cameras in one file: EXIF has a shutter speed, APP12 another time" },
    { "exif-samples/jpg/long_description.jpg", "Time", "2003:08:31 00:00:00",
      "2005:12:17 22:03:32Z",
      "the day of taking in photoshop:DateCreated goes before the file's xmp:CreateDate" },
};
/* clang-format on */

typedef struct refusal {
    const char *file, *why;
} refusal;

/* Photos by exiftool's judgement that are rightly refused. */
static const refusal REFUSALS[] = {
    { "exiftool-images/t/images/QuickTime.heic",
      "a sample of some kilobytes: the box of pictures is announced and not there" },
    { "exif-samples/jpg/corrupted.jpg", "its data end in the middle of the picture" },
};

#endif
