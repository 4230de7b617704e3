import { anyText, dig, listOf, shown, type View, viewOf } from './json-view.ts';

/** A rule that a container breaks: the pointer below its pod or Task, and what must be. */
export interface Breach {
  readonly pointer: string;
  readonly message: string;
}

/** The security context of a container, and that of its pod, each with the pointer of what holds it. */
export interface SecurityContexts {
  readonly own: View;
  readonly ownPointer: string;
  readonly shared: View;
  readonly sharedPointer: string;
}

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

/** What the Pod Security Standard "restricted" refuses in one container. */
export function restrictedBreaches({ own, ownPointer, shared, sharedPointer }: SecurityContexts): Breach[] {
  const breaches: Breach[] = [];
  const at = (pointer: string, message: string) => breaches.push({ pointer, message });
  const context = `${ownPointer}/securityContext`;
  const setting = (name: string) => own[name] ?? shared[name];
  const placeOf = (name: string) => `${own[name] === undefined ? `${sharedPointer}/securityContext` : context}/${name}`;

  if (own['privileged'] === true) at(`${context}/privileged`, 'the container must not be privileged');
  if (own['allowPrivilegeEscalation'] !== false) at(context, 'allowPrivilegeEscalation must be false');
  if (!listOf(dig(own, 'capabilities', 'drop')).includes('ALL')) at(context, 'all capabilities must be dropped');
  if (listOf(dig(own, 'capabilities', 'add')).some((name) => name !== 'NET_BIND_SERVICE')) {
    at(`${context}/capabilities/add`, 'no capability but NET_BIND_SERVICE may be added');
  }
  if (setting('runAsNonRoot') !== true) at(context, 'runAsNonRoot must be true');
  if (setting('runAsUser') === 0) at(placeOf('runAsUser'), 'runAsUser must not be 0');
  if (!['RuntimeDefault', 'Localhost'].includes(anyText(dig(setting('seccompProfile'), 'type')))) {
    at(context, 'seccompProfile must be RuntimeDefault');
  }
  if ((own['procMount'] ?? 'Default') !== 'Default') at(`${context}/procMount`, 'procMount must be Default');
  if (dig(setting('windowsOptions'), 'hostProcess') === true) {
    at(placeOf('windowsOptions'), 'the container must not be a process of the host');
  }
  const selinux = viewOf(setting('seLinuxOptions'));
  const type = selinux['type'] ?? '';
  if (!SELINUX_TYPES.some((allowed) => allowed === type)) {
    at(placeOf('seLinuxOptions'), `the SELinux type ${shown(type)} is not allowed`);
  }
  if ((selinux['user'] ?? '') !== '' || (selinux['role'] ?? '') !== '') {
    at(placeOf('seLinuxOptions'), 'a SELinux user or role is not allowed');
  }
  return breaches;
}
