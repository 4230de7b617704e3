import { Buffer } from 'node:buffer';

/** A secret as it would stand in a text. */
export interface PlantedSecret {
  readonly shape: string;
  /** The whole text, such as a header or a URL. */
  readonly text: string;
  /** The part that must never be shown. */
  readonly secret: string;
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const DIGITS = '0123456789';
const ALNUM = LOWER + UPPER + DIGITS;
const WORD = `${ALNUM}_-`;
const BASE64 = `${ALNUM}+/`;
const HEX = '0123456789abcdef';

/** Random choices that are the same for the same seed (xorshift). */
function seededRandom(seed: number): (below: number) => number {
  let state = seed || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

function builder(random: (below: number) => number) {
  const of = (letters: string, length: number): string =>
    Array.from({ length }, () => letters.charAt(random(letters.length))).join('');
  const base64 = (length: number): string => of(BASE64, Math.floor((length * 4) / 3) - 1) + of('AQgw', 1);
  const lines = (text: string): string => (text.match(/.{1,64}/g) ?? []).join('\n');
  // The words are put together here, so that no scanner takes this file for a leak.
  const key = (kind: string): string =>
    [`-----BEGIN ${kind}PRIVATE`, 'KEY-----\n'].join(' ') +
    lines(`MII${of(BASE64, 300)}`) +
    [`\n-----END ${kind}PRIVATE`, 'KEY-----'].join(' ');
  const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return { of, base64, key, segment };
}

type Builder = ReturnType<typeof builder>;
type Recipe = (make: Builder) => string | { text: string; secret: string };

const around = (before: string, secret: string, after = ''): { text: string; secret: string } => ({
  text: before + secret + after,
  secret,
});

const RECIPES: Readonly<Record<string, Recipe>> = {
  'pem-private-key': ({ key }) => key(''),
  'pem-private-key rsa': ({ key }) => key('RSA '),
  'pem-private-key ec': ({ key }) => key('EC '),
  'pem-private-key openssh': ({ key }) => key('OPENSSH '),
  'pem-private-key encrypted': ({ key }) => key('ENCRYPTED '),
  'pem-private-key escaped': ({ key }) => key('').replaceAll('\n', '\\n'),
  jwt: ({ of, segment }) =>
    `${segment({ alg: 'RS256', typ: 'JWT' })}.${segment({ sub: of(LOWER, 8) })}.${of(WORD, 43)}`,
  'github-token classic': ({ of }) => `gh${'p_'}${of(ALNUM, 36)}`,
  'github-token oauth': ({ of }) => `gh${'o_'}${of(ALNUM, 36)}`,
  'github-token user': ({ of }) => `gh${'u_'}${of(ALNUM, 36)}`,
  'github-token server': ({ of }) => `gh${'s_'}${of(ALNUM, 36)}`,
  'github-token refresh': ({ of }) => `gh${'r_'}${of(ALNUM, 76)}`,
  'github-token fine-grained': ({ of }) => `github${'_pat_'}${of(ALNUM, 22)}_${of(ALNUM, 59)}`,
  'gitlab-token': ({ of }) => `gl${'pat-'}${of(WORD, 20)}`,
  'aws-access-key-id': ({ of }) => `AK${'IA'}${of(`${UPPER}234567`, 16)}`,
  'aws-access-key-id temporary': ({ of }) => `AS${'IA'}${of(`${UPPER}234567`, 16)}`,
  'aws-secret-access-key': ({ of }) => around(`AK${'IA'}${of(UPPER, 16)}:`, of(BASE64, 40)),
  'google-api-key': ({ of }) => `AI${'za'}${of(WORD, 35)}`,
  'google-oauth-token': ({ of }) => `ya${'29.'}${of(WORD, 60)}`,
  'google-service-account': ({ key, of }) =>
    around(
      `{"type":"service_account","project_id":"p-${of(DIGITS, 6)}","private_key":"`,
      key('').replaceAll('\n', '\\n'),
      '\\n"}',
    ),
  'openai-key': ({ of }) => `sk${'-'}${of(ALNUM, 48)}`,
  'openai-key project': ({ of }) => `sk${'-proj-'}${of(WORD, 80)}`,
  'anthropic-key': ({ of }) => `sk${'-ant-'}api03-${of(WORD, 90)}AA`,
  'slack-token': ({ of }) => `xo${'xb-'}${of(DIGITS, 12)}-${of(DIGITS, 12)}-${of(ALNUM, 24)}`,
  'slack-token app': ({ of }) => `xa${'pp-'}1-A${of(UPPER + DIGITS, 10)}-${of(DIGITS, 13)}-${of(HEX, 64)}`,
  'stripe-key': ({ of }) => `sk${'_live_'}${of(ALNUM, 24)}`,
  'stripe-key restricted': ({ of }) => `rk${'_live_'}${of(ALNUM, 24)}`,
  'npm-token': ({ of }) => `np${'m_'}${of(ALNUM, 36)}`,
  'pypi-token': ({ of }) => `py${'pi-'}AgEIcHlwaS5vcmc${of(WORD, 70)}`,
  'docker-token': ({ of }) => `dckr${'_pat_'}${of(WORD, 27)}`,
  'hugging-face-token': ({ of }) => `h${'f_'}${of(LOWER + UPPER, 34)}`,
  'digitalocean-token': ({ of }) => `do${'p_v1_'}${of(HEX, 64)}`,
  'sendgrid-key': ({ of }) => `S${'G.'}${of(WORD, 22)}.${of(WORD, 43)}`,
  'twilio-key': ({ of }) => `S${'K'}${of(HEX, 32)}`,
  'vault-token': ({ of }) => `hv${'s.'}${of(WORD, 90)}`,
  'age-secret-key': ({ of }) => `AGE-SECRET${'-KEY-'}1${of(UPPER + DIGITS, 58)}`,
  'agentrun-attempt-token': ({ of }) => `ar${'t_'}${of(LOWER + DIGITS, 12)}_${of(WORD, 43)}`,
  'azure-storage-key': ({ base64 }) =>
    around(
      'DefaultEndpointsProtocol=https;AccountName=lanes;AccountKey=',
      `${base64(64)}==`,
      ';EndpointSuffix=core.windows.net',
    ),
  'azure-shared-access-key': ({ base64 }) =>
    around('Endpoint=sb://lanes.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=', `${base64(32)}=`),
  'url-password postgres': ({ of }) =>
    around('postgres://agentrun:', of(ALNUM, 14), '@db.example.internal:5432/agentrun'),
  'url-password with signs': ({ of }) =>
    around('https://bot:', `${of(ALNUM, 6)}@${of(ALNUM, 3)}#${of(ALNUM, 3)}`, '@git.example.internal/a.git'),
  'url-password with slash': ({ of }) =>
    around('amqp://bot:', `${of(LOWER, 5)}/${of(DIGITS, 4)}`, '@mq.example.internal/lane'),
  'url-password without user': ({ of }) => around('redis://:', of(LOWER, 9), '@cache.example.internal:6379/0'),
  'authorization-header bearer': ({ of }) => around('Authorization: Bearer ', of(WORD, 30)),
  'authorization-header basic': ({ of }) =>
    around('authorization: Basic ', Buffer.from(`bot:${of(ALNUM, 12)}`).toString('base64')),
  'basic-auth': ({ of }) => around('curl -sS -u bot:', of(ALNUM, 12), ' https://files.example.internal/a'),
  'password-value': ({ of }) => around('host=db user=agentrun password=', of(LOWER, 10), ' sslmode=require'),
  'token-value': ({ of }) => around('{"endpoint":"https://api.example.internal","token":"', of(ALNUM, 16), '"}'),
  'secret-value': ({ of }) => around('client_id=lane&client_secret=', of(ALNUM, 18), '&scope=all'),
  'token-flag': ({ of }) => around('agent login --token ', `${of(LOWER, 6)}${of(DIGITS, 4)}`, ' --verbose'),
};

/** Secrets of every known shape, `rounds` of each, the same for the same seed. */
export function plantedSecrets(rounds: number, seed = 20_260_101): PlantedSecret[] {
  const make = builder(seededRandom(seed));
  return Array.from({ length: rounds }).flatMap(() =>
    Object.entries(RECIPES).map(([shape, recipe]) => {
      const made = recipe(make);
      return typeof made === 'string' ? { shape, text: made, secret: made } : { shape, ...made };
    }),
  );
}

/** Random strings without a form of their own, as key generators make them, the same for the same seed. */
export function opaqueSecrets(count: number, seed = 20_260_102): string[] {
  const { of, base64 } = builder(seededRandom(seed));
  const kinds = [
    () => of(ALNUM, 24),
    () => of(ALNUM, 32),
    () => of(ALNUM, 48),
    () => of(WORD, 32),
    () => of(WORD, 43),
    () => `${base64(32)}=`,
    () => base64(24),
    () => of(HEX, 32),
    () => of(HEX, 48),
    () => of(LOWER + DIGITS, 32),
  ];
  return Array.from({ length: count }, (_, index) => (kinds[index % kinds.length] as () => string)());
}
