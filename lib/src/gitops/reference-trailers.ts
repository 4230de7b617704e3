/** A commit that led to another one, as `references` of hydrator.metadata names it; what is not known is left out. */
export interface CommitReference {
  /** `Name <email>`. */
  readonly author?: string;
  /** RFC 3339. */
  readonly date?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly sha?: string;
  readonly repoURL?: string;
}

const TRAILER = /^Argocd-reference-commit-([a-z]+): *(.*)$/i;

/** By the end of the trailer's name: the field, and how its value is read; undefined when it is not of its form. */
const FIELDS: Readonly<Record<string, { field: keyof CommitReference; read: (value: string) => string | undefined }>> =
  {
    author: { field: 'author', read: (value) => matching(value, /^[^<>]*<[^<>\s]+@[^<>\s]+>$/) },
    date: {
      field: 'date',
      read: (value) => matching(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/),
    },
    subject: { field: 'subject', read: (value) => matching(value, /./) },
    body: { field: 'body', read: jsonString },
    sha: { field: 'sha', read: (value) => matching(value, /^[0-9a-fA-F]{5,40}$/) },
    repourl: { field: 'repoURL', read: (value) => (URL.canParse(value) ? value : undefined) },
  };

/**
 * Takes the trailers `Argocd-reference-commit-*` out of the body of a commit message: by these, a CI that changes a lane
 * after a build names the commit that it built. Of two with one name the last counts. A trailer that is not known, or
 * not of its form, stays in the body.
 */
export function takeReference(body: string): { readonly body: string; readonly reference: CommitReference } {
  const paragraphs = body.split('\n\n');
  const last = paragraphs.pop() ?? '';
  const reference: { -readonly [K in keyof CommitReference]: CommitReference[K] } = {};
  const kept = last.split('\n').filter((line) => {
    const [, name = '', text = ''] = TRAILER.exec(line) ?? [];
    const known = FIELDS[name.toLowerCase()];
    const value = known?.read(text.trim());
    if (known === undefined || value === undefined) return true;
    reference[known.field] = value;
    return false;
  });
  return { body: [...paragraphs, kept.join('\n')].join('\n\n').trim(), reference };
}

const matching = (value: string, form: RegExp): string | undefined => (form.test(value) ? value : undefined);

function jsonString(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
