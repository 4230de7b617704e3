const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The formats that schemas may name. */
export const FORMATS = {
  /** RFC 3339, a day that exists, without leap seconds: what PostgreSQL and Date read alike. */
  'date-time': (text: string) => {
    const [, year = '', month = '', day = ''] = DATE_TIME.exec(text) ?? [];
    const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
    return (
      year !== '' && Number(year) > 0 && date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
    );
  },
  /** An absolute URL. */
  uri: (text: string) => URL.canParse(text),
} as const;
