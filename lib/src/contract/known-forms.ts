/** Long strings that look random and are public: digests, ids, addresses, public keys. */

/** Each is linear in the text: nothing can fail after an unbounded part, or the next sign ends it. */
const KNOWN_FORMS: readonly RegExp[] = [
  /-----BEGIN (?:CERTIFICATE|TRUSTED CERTIFICATE|X509 CRL|PUBLIC KEY|RSA PUBLIC KEY|PGP PUBLIC KEY BLOCK|CERTIFICATE REQUEST)-----[^-]*-----END/g,
  /(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]{3}|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) +[A-Za-z0-9+/]{16,}={0,3}/g,
  // Digests: by algorithm, and fingerprints of keys.
  /(?:sha(?:1|224|256|384|512)|md5|blake[23][a-z]?)[:=-][A-Za-z0-9+/]{16,}={0,2}/gi,
  // Trace context of the W3C, UUID, ULID.
  /(?<![0-9A-Za-z])00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?![0-9A-Za-z])/g,
  /(?<![0-9A-Za-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9A-Za-z])/gi,
  /(?<![0-9A-Za-z])0[0-9A-HJKMNP-TV-Z]{25}(?![0-9A-Za-z])/g,
  // Commits, sha256, and ids of 24 digits as MongoDB makes them.
  /(?<![0-9A-Za-z])(?:[0-9a-f]{24}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9A-Za-z])/gi,
  // Resources of AWS: a kind, and 17 hex digits.
  /(?<![0-9A-Za-z])[a-z]{1,12}-[0-9a-f]{17}(?![0-9A-Za-z])/g,
  // URLs: a password in one has its own shape.
  /[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\/[^\s"'`<>\\]*/g,
  // Versions of an API.
  /(?<![0-9A-Za-z])v[0-9]{1,3}(?:alpha|beta)[0-9]{1,3}(?![0-9A-Za-z])/g,
];

const HOST = /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.[a-z]{2,24}\.?(?:\/|$)/;
const LOWER_CASE_REFERENCE = /^[a-z0-9._-]+(?:\/[a-z0-9._-]+)+$/;

/** The text with spaces in the place of digests, ids, URLs and public keys; every other place stays where it was. */
export function withoutKnownForms(text: string): string {
  return KNOWN_FORMS.reduce((rest, form) => rest.replace(form, (match) => ' '.repeat(match.length)), text);
}

/** Whether a word without white space is a host name, an image reference or a file path. */
export function isExemptWord(word: string, isRandom: (piece: string) => boolean): boolean {
  if (HOST.test(word)) return true;
  if (!word.includes('/')) return false;
  const wordy = word
    .split('/')
    .filter((segment) => /[A-Za-z]{3}/.test(segment) && !segment.split(/[^A-Za-z0-9]/).some(isRandom)).length;
  return (LOWER_CASE_REFERENCE.test(word) && wordy >= 1) || (/^(?:~|\.{1,2})?\//.test(word) && wordy >= 2);
}
