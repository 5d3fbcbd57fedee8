#include "server.h"

#include <stdlib.h>

#include "server_parts.h"

#define STORED_LIMIT 65535

/* CRC-32 as gzip has it (RFC 1952 section 8), a bit at a time. */
static uint32_t crc32_of(const unsigned char *data, size_t len)
{
	uint32_t crc = 0xffffffffU;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

static void add_le(struct bytes *out, uint32_t value, int octets)
{
	for (int i = 0; i < octets; i++) {
		unsigned char octet = (unsigned char)(value >> (8 * i));

		bytes_add(out, &octet, 1);
	}
}

void *server_gzip(const void *data, size_t len, size_t *out_len)
{
	static const unsigned char header[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	const unsigned char *in = data;
	struct bytes out = { 0 };
	size_t done = 0;

	bytes_add(&out, header, sizeof(header));
	do {
		size_t part = len - done < STORED_LIMIT ? len - done : STORED_LIMIT;

		add_le(&out, done + part == len, 1);
		add_le(&out, (uint32_t)part, 2);
		add_le(&out, (uint32_t)~part, 2);
		bytes_add(&out, in + done, part);
		done += part;
	} while (done < len);
	add_le(&out, crc32_of(in, len), 4);
	add_le(&out, (uint32_t)len, 4);
	*out_len = out.len;
	return out.at;
}
