/* The tags of a photo by exiv2, for metadata_fields.c. Invariant: no exception leaves this file.
 * Compiles with exiv2 0.27 and 0.28. One thread. */
#include <cstdint>
#include <cstring>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include <exiv2/exiv2.hpp>

#include "media/metadata.h"
#include "media/metadata_fields.h"

namespace
{

/* The two versions differ in the type of sizes. */
#if EXIV2_TEST_VERSION(0, 28, 0)
using FileSize = size_t;
#else
using FileSize = long;
#endif

/* Everything that one file says. */
struct Tags {
    const Exiv2::ExifData &exif;
    const Exiv2::XmpData &xmp;
    const Exiv2::IptcData &iptc;
};

/* Keys begin with the name of their standard. */
bool starts(const char *key, const char *prefix)
{
    return std::strncmp(key, prefix, std::strlen(prefix)) == 0;
}

/* At most room bytes, as metadata_source promises. */
size_t copy_out(const std::string &text, char *out, size_t room)
{
    const size_t length = text.size() < room ? text.size() : room;
    std::memcpy(out, text.data(), length);
    return length;
}

/* nullptr when the tag is not there. Throws for names that this exiv2 does not know. */
const Exiv2::Exifdatum *find_exif(const Tags &tags, const char *key)
{
    const auto found = tags.exif.findKey(Exiv2::ExifKey(key));
    return found == tags.exif.end() ? nullptr : &*found;
}

/* Texts as they lie in the file, without exiv2's conversions: these need tables of the C library
 * that a confined process cannot open. Also texts that are stored as plain bytes. */
std::string exif_bytes(const Exiv2::Value &value)
{
    if (const auto *text = dynamic_cast<const Exiv2::StringValueBase *>(&value)) {
        return text->value_;
    }
    if (const auto *data = dynamic_cast<const Exiv2::DataValue *>(&value)) {
        std::vector<Exiv2::byte> bytes(static_cast<size_t>(data->size()));
        data->copy(bytes.data(), Exiv2::littleEndian);
        return std::string(bytes.begin(), bytes.end());
    }
    return "";
}

/* The text itself, the default language of several, the first of a list. */
std::string xmp_text(const Exiv2::Value &value)
{
    if (const auto *languages = dynamic_cast<const Exiv2::LangAltValue *>(&value)) {
        const auto found = languages->value_.find("x-default");
        if (found != languages->value_.end()) {
            return found->second;
        }
        return languages->value_.empty() ? "" : languages->value_.begin()->second;
    }
    return value.count() > 0 ? value.toString(0) : "";
}

/* Any key's text. Throws for names that this exiv2 does not know. */
std::string text_of(const Tags &tags, const char *key)
{
    if (starts(key, "Exif.")) {
        const auto *datum = find_exif(tags, key);
        return datum == nullptr ? "" : exif_bytes(datum->value());
    }
    if (starts(key, "Xmp.")) {
        const auto found = tags.xmp.findKey(Exiv2::XmpKey(key));
        return found == tags.xmp.end() ? "" : xmp_text(found->value());
    }
    const auto found = tags.iptc.findKey(Exiv2::IptcKey(key));
    return found == tags.iptc.end() ? "" : found->toString();
}

/* Numbers by their exact type: exiv2's own toRational() squeezes unsigned values above 2^31 into
 * signed ones. false for values of other types. */
template <typename Number>
bool number_from(const Exiv2::Value &value, size_t index, metadata_ratio *out)
{
    const auto *numbers = dynamic_cast<const Exiv2::ValueType<Number> *>(&value);
    if (numbers == nullptr || index >= numbers->value_.size()) {
        return false;
    }
    *out = { static_cast<int64_t>(numbers->value_[index]), 1 };
    return true;
}

/* The same for the two kinds of rationals. */
template <typename Pair>
bool pair_from(const Exiv2::Value &value, size_t index, metadata_ratio *out)
{
    const auto *pairs = dynamic_cast<const Exiv2::ValueType<Pair> *>(&value);
    if (pairs == nullptr || index >= pairs->value_.size()) {
        return false;
    }
    *out = { pairs->value_[index].first, pairs->value_[index].second };
    return true;
}

/* GPSAltitudeRef and Canon's and Nikon's small numbers are single bytes. */
bool byte_from(const Exiv2::Value &value, size_t index, metadata_ratio *out)
{
    const auto *data = dynamic_cast<const Exiv2::DataValue *>(&value);
    const std::string bytes = data == nullptr ? "" : exif_bytes(*data);
    if (index >= bytes.size()) {
        return false;
    }
    *out = { static_cast<unsigned char>(bytes[index]), 1 };
    return true;
}

/* --- metadata_source --- */

size_t source_bytes(void *ctx, const char *key, char *out, size_t room)
{
    try {
        return copy_out(text_of(*static_cast<const Tags *>(ctx), key), out, room);
    } catch (const std::exception &) {
        return 0;
    }
}

bool source_ratio(void *ctx, const char *key, size_t index, metadata_ratio *out)
{
    try {
        const auto *datum =
            starts(key, "Exif.") ? find_exif(*static_cast<const Tags *>(ctx), key) : nullptr;
        if (datum == nullptr) {
            return false;
        }
        const Exiv2::Value &value = datum->value();
        return pair_from<Exiv2::URational>(value, index, out) ||
               pair_from<Exiv2::Rational>(value, index, out) ||
               number_from<uint16_t>(value, index, out) ||
               number_from<uint32_t>(value, index, out) ||
               number_from<int16_t>(value, index, out) || number_from<int32_t>(value, index, out) ||
               byte_from(value, index, out);
    } catch (const std::exception &) {
        return false;
    }
}

size_t source_wording(void *ctx, const char *key, char *out, size_t room)
{
    try {
        const auto &tags = *static_cast<const Tags *>(ctx);
        if (!starts(key, "Exif.")) {
            return copy_out(text_of(tags, key), out, room);
        }
        const auto *datum = find_exif(tags, key);
        std::ostringstream words;
        if (datum != nullptr) {
            datum->write(words, &tags.exif);
        }
        return copy_out(words.str(), out, room);
    } catch (const std::exception &) {
        return 0;
    }
}

/* metadata_fill() works on a plain C table; copy is what its ctx points to. */
void fill(const Tags &tags, bool big_endian, int32_t width, int32_t height, media_facts *facts)
{
    Tags copy = tags;
    const metadata_source source = { &copy, big_endian, source_bytes, source_ratio,
                                     source_wording };
    metadata_fill(&source, facts);
    if (facts->is_raw == 1) {
        metadata_fill_size(&source, width, height, facts);
    }
}

/* What was read before the damage stays in the image. */
void read_some(Exiv2::Image &image)
{
    try {
        image.readMetadata();
    } catch (const std::exception &) {
    }
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

void metadata_read(const uint8_t *bytes, size_t size, media_facts *facts)
{
    try {
        auto image = Exiv2::ImageFactory::open(bytes, static_cast<FileSize>(size));
        if (image.get() == nullptr) {
            return;
        }
        read_some(*image);
        const Tags tags = { image->exifData(), image->xmpData(), image->iptcData() };
        const auto width = static_cast<int32_t>(image->pixelWidth());
        const auto height = static_cast<int32_t>(image->pixelHeight());
        fill(tags, image->byteOrder() == Exiv2::bigEndian, width, height, facts);
    } catch (const std::exception &) {
        /* Not a file that exiv2 knows, or no memory for its metadata. */
    }
}

void metadata_read_blocks(const uint8_t *exif, size_t exif_size, const uint8_t *xmp,
                          size_t xmp_size, media_facts *facts)
{
    try {
        Exiv2::ExifData exif_data;
        Exiv2::XmpData xmp_data;
        const Exiv2::IptcData iptc_data;
        bool big_endian = false;
        try {
            if (exif_size > 0) {
                big_endian =
                    Exiv2::ExifParser::decode(exif_data, exif, static_cast<uint32_t>(exif_size)) ==
                    Exiv2::bigEndian;
            }
            if (xmp_size > 0) {
                const std::string packet(reinterpret_cast<const char *>(xmp), xmp_size);
                (void) Exiv2::XmpParser::decode(xmp_data, packet);
            }
        } catch (const std::exception &) {
        }
        fill(Tags { exif_data, xmp_data, iptc_data }, big_endian, 0, 0, facts);
    } catch (const std::exception &) {
    }
}
