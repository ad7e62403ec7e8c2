/* The certificate and key of a server over TLS, and a word past libmicrohttpd. The only file that knows GnuTLS. */
#ifndef CP_CREDENTIALS_H
#define CP_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Read both, in PEM, the certificate first and those that signed it after it, and take them for all handshakes from now
 * on, in place of those read before. False: error[error_size] says why in a sentence, and all is as it was. One pair in a
 * process. */
bool cp_credentials_read(const char *certificate_file, const char *key_file, char *error, size_t error_size);

/* Forget them. */
void cp_credentials_forget(void);

/* The function that GnuTLS calls in a handshake for the pair to show, a gnutls_certificate_retrieve_function3, in the form
 * in which libmicrohttpd takes it. */
intptr_t cp_credentials_callback(void);

/* Send on a session, a gnutls_session_t, without waiting, as the last that is sent: what its socket does not take is lost,
 * and all of it where the handshake is not over. */
void cp_tls_send_last(void *session, const struct iovec *parts, int count);

/* The versions and ciphers that are spoken, as GnuTLS names them. */
extern const char cp_tls_priorities[];

#endif
