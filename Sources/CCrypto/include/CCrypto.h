// The few operations of libcrypto (OpenSSL 3) that keys, digests and sealed files need, for agent and worker. The only Swift owner is the target `Signing`.
//
// The library is loaded by the first of them and not with the program: it would cost each start of the agent 4 ms of CPU time (docs/adr/0008). In a worker
// it is the one that libnode has mapped. Any thread. Lengths are bytes.

#ifndef SL_CCRYPTO_H
#define SL_CCRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Null: the library is there. Else why not, for people; valid for ever. All that follows may be called only after this has returned null.
const char *_Nullable sl_crypto_problem(void);

// ---- SHA-256 ----

void sl_crypto_sha256(const void *_Nullable bytes, size_t count, uint8_t *_Nonnull digest /* 32 */);

// ---- Ed25519, RFC 8032. Keys are the raw 32 bytes (any 32 are a secret one), signatures 64. ----

bool sl_crypto_ed25519_public(const uint8_t *_Nonnull secret, uint8_t *_Nonnull public_key);
bool sl_crypto_ed25519_sign(const uint8_t *_Nonnull secret, const void *_Nullable bytes, size_t count, uint8_t *_Nonnull signature);
bool sl_crypto_ed25519_verify(const uint8_t *_Nonnull public_key, const void *_Nullable bytes, size_t count,
                              const uint8_t *_Nonnull signature);

// ---- PEM: PKCS #8 and SubjectPublicKeyInfo, RFC 8410 ----

typedef enum {
    sl_crypto_pem_ok,
    sl_crypto_pem_none,        // no block of that kind
    sl_crypto_pem_passphrase,  // it is encrypted, and the passphrase is missing or wrong
    sl_crypto_pem_other_key,   // no Ed25519 key
    sl_crypto_pem_broken,
} sl_crypto_pem_result;

// Passphrase null: none.
sl_crypto_pem_result sl_crypto_pem_read_secret(const void *_Nonnull pem, size_t count, const void *_Nullable passphrase,
                                               size_t passphrase_count, uint8_t *_Nonnull secret);
sl_crypto_pem_result sl_crypto_pem_read_public(const void *_Nonnull pem, size_t count, uint8_t *_Nonnull public_key);
// Returns the count of bytes put into `pem`; 0: it failed, or they are more than `room`. With a passphrase it is encrypted by PBES2: scrypt
// (N 16384, r 8, p 5) and AES-256-CBC.
size_t sl_crypto_pem_write_secret(const uint8_t *_Nonnull secret, const void *_Nullable passphrase, size_t passphrase_count,
                                  char *_Nonnull pem, size_t room);
size_t sl_crypto_pem_write_public(const uint8_t *_Nonnull public_key, char *_Nonnull pem, size_t room);

// ---- AES-256-GCM, NIST SP 800-38D, with a nonce of 12 bytes and a tag of 16 ----

bool sl_crypto_seal(const uint8_t *_Nonnull key, const uint8_t *_Nonnull nonce, const void *_Nullable header, size_t header_count,
                    const void *_Nullable plain, size_t count, uint8_t *_Nonnull sealed /* count */, uint8_t *_Nonnull tag);
// False: key, header, text or tag is another; nothing of `plain` may be used then.
bool sl_crypto_open(const uint8_t *_Nonnull key, const uint8_t *_Nonnull nonce, const void *_Nullable header, size_t header_count,
                    const void *_Nullable sealed, size_t count, uint8_t *_Nonnull plain /* count */, const uint8_t *_Nonnull tag);

// scrypt, RFC 7914, to 32 bytes. False: parameters that cannot be, or more memory than `memory_max`.
bool sl_crypto_scrypt(const void *_Nullable passphrase, size_t count, const uint8_t *_Nonnull salt, size_t salt_count, uint64_t n,
                      uint32_t r, uint32_t p, uint64_t memory_max, uint8_t *_Nonnull key);

// From the kernel's random numbers; ends the process when there are none.
void sl_crypto_random(void *_Nonnull bytes, size_t count);

// Overwrites what a compiler would leave.
void sl_crypto_cleanse(void *_Nullable bytes, size_t count);

#endif
