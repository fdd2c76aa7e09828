// libcurl under the symbol version of its OpenSSL build: forwards to Debian's GnuTLS build.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void *real(const char *name) {
  static void *library;
  if (!library) library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
  void *symbol = library ? dlsym(library, name) : 0;
  if (symbol) return symbol;
  fprintf(stderr, "%s is not available to this Mesos\n", name);
  abort();
}

void *curl_easy_init(void) { return ((void *(*)(void))real("curl_easy_init"))(); }
int curl_easy_perform(void *easy) { return ((int (*)(void *))real("curl_easy_perform"))(easy); }
const char *curl_easy_strerror(int code) { return ((const char *(*)(int))real("curl_easy_strerror"))(code); }
int curl_global_init(long flags) { return ((int (*)(long))real("curl_global_init"))(flags); }
void curl_easy_cleanup(void *easy) { ((void (*)(void *))real("curl_easy_cleanup"))(easy); }
int curl_easy_setopt(void *easy, int option, void *value) {
  return ((int (*)(void *, int, ...))real("curl_easy_setopt"))(easy, option, value);
}
int curl_easy_getinfo(void *easy, int info, void *value) {
  return ((int (*)(void *, int, ...))real("curl_easy_getinfo"))(easy, info, value);
}
