// TLS of the agent's own ports, over OpenSSL 3: contexts of PEM text, and sessions that are machines between ciphertext and plaintext,
// without a socket.
//
// libssl is loaded by the first context that is made: an agent that serves nothing over TLS, which is most, must not pay the 4 ms of CPU
// time that its start would cost (docs/adr/0008, docs/adr/0034). So nothing of OpenSSL's own is seen here.

#ifndef SL_CSERVERTLS_H
#define SL_CSERVERTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- The context ----

typedef struct sl_server_tls sl_server_tls;

// Which of the texts is to be looked at.
typedef enum { SL_TLS_FROM_LIBRARY, SL_TLS_FROM_CERTIFICATE, SL_TLS_FROM_KEY, SL_TLS_FROM_AUTHORITY } sl_tls_source;

typedef struct {
    sl_tls_source source;
    char text[256];  // for people; zero-terminated
} sl_tls_problem;

typedef struct {
    const void *_Nullable bytes;
    size_t count;
} sl_tls_text;

// TLS 1.2 and 1.3 at security level 2, no renegotiation, no sessions kept; ALPN "h2" and "http/1.1". With an authority, clients have to
// show a certificate that it leads to. Null: see the problem. Any thread; the caller owns one reference.
sl_server_tls *_Nullable sl_server_tls_make(sl_tls_text certificates, sl_tls_text key, sl_tls_text authority,
                                            sl_tls_problem *_Nonnull problem);
void sl_server_tls_free(sl_server_tls *_Nonnull context);

// Unix seconds until which the certificate is valid; 0: it says no such time.
int64_t sl_server_tls_not_after(const sl_server_tls *_Nonnull context);

// ---- The session ----

// Of one thread. The context may be freed before.
typedef struct sl_tls_session sl_tls_session;

// Null: no memory.
sl_tls_session *_Nullable sl_tls_session_make(sl_server_tls *_Nonnull context);
void sl_tls_session_free(sl_tls_session *_Nonnull session);

// Takes all of the ciphertext. False: no memory.
bool sl_tls_session_receive(sl_tls_session *_Nonnull session, const void *_Nonnull bytes, size_t count);

// Plaintext of what was received: how many bytes. 0: none for now. -1: the client has said that no more comes. -2: it failed; what is to
// be sent (an alert) is sent all the same.
ptrdiff_t sl_tls_session_read(sl_tls_session *_Nonnull session, void *_Nonnull room, size_t count);

// Turns all of the plaintext into ciphertext. False: it failed, or the handshake is not over.
bool sl_tls_session_write(sl_tls_session *_Nonnull session, const void *_Nonnull bytes, size_t count);

// Says that no more comes from here.
void sl_tls_session_close(sl_tls_session *_Nonnull session);

// Ciphertext that is to be sent: how many bytes of it were put into the room. 0: there is none.
size_t sl_tls_session_take(sl_tls_session *_Nonnull session, void *_Nonnull room, size_t count);

// Whether it failed for want of a client's certificate that the authority leads to.
typedef enum { SL_TLS_NO_STRANGER, SL_TLS_WITHOUT_CERTIFICATE, SL_TLS_WRONG_CERTIFICATE } sl_tls_stranger;
sl_tls_stranger sl_tls_session_stranger(const sl_tls_session *_Nonnull session);

bool sl_tls_session_is_open(const sl_tls_session *_Nonnull session);

// The common name of the client's certificate, zero-terminated and of printable ASCII; empty without one.
void sl_tls_session_client(const sl_tls_session *_Nonnull session, char *_Nonnull name, size_t count);

#endif
