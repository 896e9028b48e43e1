/* What exiv2 knows of a photo. Invariant: no exception leaves this file, and no value is taken that
 * media_facts_check() would refuse. One thread. */
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include <exiv2/exiv2.hpp>

#include <lumilio/status.h>

#include "media/metadata.h"

namespace
{

#if EXIV2_TEST_VERSION(0, 28, 0)
using byte_count = size_t;

int64_t number_of(const Exiv2::Exifdatum &tag)
{
    return tag.toInt64();
}
#else
using byte_count = long;

int64_t number_of(const Exiv2::Exifdatum &tag)
{
    return tag.toLong();
}
#endif

/* Text of a tag, "" when absent: control characters become blanks, blanks at the ends go. */
std::string text_of(const Exiv2::ExifData &exif, const char *key)
{
    const auto found = exif.findKey(Exiv2::ExifKey(key));
    if (found == exif.end()) {
        return "";
    }
    std::string text = found->toString();
    text.resize(std::strlen(text.c_str()));
    for (char &c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
            c = ' ';
        }
    }
    const size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) {
        return "";
    }
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

template <size_t Room> void copy_text(const std::string &text, char (&out)[Room])
{
    const size_t length = text.size() < Room ? text.size() : Room - 1;
    std::memcpy(out, text.data(), length);
    out[length] = '\0';
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t in_era = y - era * 400;
    const int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

void read_date(const Exiv2::ExifData &exif, media_facts *facts)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    const std::string text = text_of(exif, "Exif.Photo.DateTimeOriginal");
    if (std::sscanf(text.c_str(), "%4d:%2d:%2d %2d:%2d:%2d", &year, &month, &day, &hour, &minute,
                    &second) != 6 ||
        year < 1800 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
        minute > 59 || second > 59 || hour < 0 || minute < 0 || second < 0) {
        return;
    }
    const int64_t seconds =
        days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    facts->taken_local_us = seconds * 1000000;
    facts->has_taken = 1;
    facts->taken_source = MEDIA_TIME_EXIF;
}

void read_exif(const Exiv2::ExifData &exif, media_facts *facts)
{
    const auto orientation = exif.findKey(Exiv2::ExifKey("Exif.Image.Orientation"));
    if (orientation != exif.end() && orientation->count() > 0) {
        const int64_t value = number_of(*orientation);
        facts->orientation = value >= 1 && value <= 8 ? static_cast<int32_t>(value) : 1;
    }
    copy_text(text_of(exif, "Exif.Image.Make"), facts->camera_make);
    copy_text(text_of(exif, "Exif.Image.Model"), facts->camera_model);
    read_date(exif, facts);
}

} // namespace

void metadata_init(void)
{
    Exiv2::LogMsg::setLevel(Exiv2::LogMsg::mute);
    (void) Exiv2::XmpParser::initialize();
#if !EXIV2_TEST_VERSION(0, 28, 0) /* always on since */
    (void) Exiv2::enableBMFF(true);
#endif
}

pgc_status metadata_read(const uint8_t *bytes, size_t size, media_facts *facts, pgc_error *err)
{
    try {
        auto image = Exiv2::ImageFactory::open(bytes, static_cast<byte_count>(size));
        if (image.get() == nullptr) {
            return PGC_OK;
        }
        image->readMetadata();
        read_exif(image->exifData(), facts);
        const int width = image->pixelWidth();
        const int height = image->pixelHeight();
        if (facts->is_raw == 1 && width > 0 && height > 0) {
            const bool on_side = facts->orientation >= 5;
            facts->width = on_side ? height : width;
            facts->height = on_side ? width : height;
        }
    } catch (const std::bad_alloc &) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "not enough memory to read the metadata");
    } catch (const std::exception &) {
        return PGC_OK; /* no or damaged metadata */
    }
    return PGC_OK;
}
