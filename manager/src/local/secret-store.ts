/**
 * Where secrets are kept: texts under (namespace, name, key), as in a Secret of Kubernetes.
 *
 * Names that are not those of Kubernetes are refused by all methods with StartError `secret-name-invalid`, before
 * anything is touched: they come from lanes and from requests.
 */
export interface SecretStore {
  /** The value as it was written, or null when there is none. */
  read(namespace: string, name: string, key: string): Promise<string | null>;
  /** Sets the value; a reader sees the old or the new one, never a part. */
  write(namespace: string, name: string, key: string, value: string): Promise<void>;
  /** Sets the value unless there is one; returns the one that is there then. Of several at once, one wins. */
  writeOnce(namespace: string, name: string, key: string, value: string): Promise<string>;
  /** Removes the value, if there is one. */
  remove(namespace: string, name: string, key: string): Promise<void>;
  /** The keys that have a value, sorted by code unit. */
  keys(namespace: string, name: string): Promise<readonly string[]>;
}
