#define _GNU_SOURCE /* strerrordesc_np, explicit_bzero */
#include "server/http/credentials.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cp_tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* Certificates of a chain, and bytes of a file, that are read. */
enum { MOST_CERTIFICATES = 16, MOST_BYTES = 1 << 20 };

/* Handshakes make their own copy of what is here, so that it can be exchanged at any time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static gnutls_datum_t certificate, key;

static void wipe(gnutls_datum_t *text)
{
    if (text->data) explicit_bzero(text->data, text->size);
    free(text->data);
    *text = (gnutls_datum_t){0};
}

static bool read_file(const char *path, gnutls_datum_t *text, char *error, size_t error_size)
{
    FILE *file = fopen(path, "re");
    *text = (gnutls_datum_t){.data = file ? malloc(MOST_BYTES) : NULL};
    if (text->data) text->size = (unsigned)fread(text->data, 1, MOST_BYTES, file);
    int code = errno;
    bool right = text->data && !ferror(file);
    if (file) fclose(file);
    if (right) return true;
    snprintf(error, error_size, "cannot read %s: %s", path, strerrordesc_np(code));
    wipe(text);
    return false;
}

/* Do they hold a certificate and its key? */
static bool check(const char *certificate_file, const gnutls_datum_t pair[2], char *error, size_t error_size)
{
    gnutls_certificate_credentials_t credentials;
    if (gnutls_certificate_allocate_credentials(&credentials) < 0) return false;
    int code = gnutls_certificate_set_x509_key_mem(credentials, &pair[0], &pair[1], GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    if (code < 0)
        snprintf(error, error_size, "the certificate %s and its key cannot be used: %s", certificate_file,
                 gnutls_strerror(code));
    return code >= 0;
}

bool cp_credentials_read(const char *certificate_file, const char *key_file, char *error, size_t error_size)
{
    gnutls_datum_t pair[2] = {0};
    bool right = read_file(certificate_file, &pair[0], error, error_size) &&
                 read_file(key_file, &pair[1], error, error_size) && check(certificate_file, pair, error, error_size);
    if (right) {
        pthread_mutex_lock(&lock);
        gnutls_datum_t before[2] = {certificate, key};
        certificate = pair[0];
        key = pair[1];
        pthread_mutex_unlock(&lock);
        memcpy(pair, before, sizeof pair);
    }
    wipe(&pair[0]);
    wipe(&pair[1]);
    return right;
}

void cp_credentials_forget(void)
{
    pthread_mutex_lock(&lock);
    wipe(&certificate);
    wipe(&key);
    pthread_mutex_unlock(&lock);
}

/* The pair as GnuTLS's own objects: 0, or its error. */
static int import(gnutls_pcert_st *chain, unsigned *count, gnutls_privkey_t *private)
{
    *count = MOST_CERTIFICATES;
    int code = gnutls_pcert_list_import_x509_raw(chain, count, &certificate, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0) {
        *count = 0;
        return code;
    }
    code = gnutls_privkey_init(private);
    if (code >= 0) code = gnutls_privkey_import_x509_raw(*private, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    return code;
}

/* GnuTLS frees what it is given, after the handshake. */
/* NOLINTBEGIN(readability-non-const-parameter): GnuTLS says what it is given */
static int retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
                    unsigned *chain_size, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_size, gnutls_privkey_t *private,
                    unsigned *flags)
{
    (void)session, (void)info, (void)ocsp, (void)ocsp_size;
    *private = NULL;
    *chain_size = 0;
    *chain = gnutls_calloc(MOST_CERTIFICATES, sizeof **chain);
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    if (!*chain) return -1;
    pthread_mutex_lock(&lock);
    int code = import(*chain, chain_size, private);
    pthread_mutex_unlock(&lock);
    if (code >= 0) return 0;
    for (unsigned at = 0; at < *chain_size; at++) gnutls_pcert_deinit(&(*chain)[at]);
    if (*private) gnutls_privkey_deinit(*private);
    gnutls_free(*chain);
    return -1;
}
/* NOLINTEND(readability-non-const-parameter) */

intptr_t cp_credentials_callback(void)
{
    return (intptr_t)retrieve;
}

void cp_tls_send_last(void *session, const struct iovec *parts, int count)
{
    for (int at = 0; at < count; at++)
        if (gnutls_record_send(session, parts[at].iov_base, parts[at].iov_len) < 0) return;
    (void)gnutls_bye(session, GNUTLS_SHUT_WR);
}
