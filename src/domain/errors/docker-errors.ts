import { thisMachine } from '../host-access.ts';
import { saysFullDisk } from '../full-disk.ts';
import { defineError } from './define.ts';

const spaceCure =
  'Free some space where images and containers are kept there ("docker system df", "podman system df" or, on the node of a cluster, "crictl imagefsinfo" tells what takes it), or have the quota raised, and run "berth apply" again.';

/** By which a person does it there; absent: docker. */
type ByHand = 'docker' | 'podman' | 'crictl';

/** Faults between berth and a daemon that runs containers. */
export const dockerErrors = {
  DOCKER_UNREACHABLE: defineError<{ where: readonly string[]; reason: string }>(
    (f) => `No container engine answers at ${f.where.join(' or ')}: ${f.reason}.`,
    () =>
      'Start it ("systemctl start docker", or "systemctl --user start podman.socket"), or set DOCKER_HOST to where it listens (or choose another context of Docker).',
    'targetDown',
  ),
  DOCKER_FORBIDDEN: defineError<{ where: string; user: string }>(
    (f) => `The user ${f.user} may not use the container engine at ${f.where}.`,
    (f) =>
      /podman/.test(f.where)
        ? // Its socket is root's alone, and each user can have one.
          `Have podman listen for ${f.user} ("systemctl --user enable --now podman.socket" as that user), run berth as the user whose socket it is, or set "become: sudo" on the host.`
        : `Add the user to the socket's group ("sudo usermod -aG docker ${f.user}", then log in again).`,
  ),
  IMAGE_MISSING: defineError<{
    deployment: string;
    image: string;
    reason: string;
    /** What names it in the fleet file; absent: target.image. */
    option?: string;
    program?: ByHand;
  }>(
    (f) => `The image ${f.image} for ${f.deployment} is not there and cannot be fetched: ${f.reason}.`,
    (f) =>
      saysFullDisk(f.reason)
        ? spaceCure
        : `Check ${f.option ?? 'target.image'} of ${f.deployment}, or fetch it by hand: "${f.program ?? 'docker'} pull ${f.image}".`,
  ),
  IMAGE_REFUSED: defineError<{
    deployment: string;
    image: string;
    registry: string;
    reason: string;
    machine: string;
    asked: string;
  }>(
    (f) =>
      `The registry ${f.registry} does not give the image ${f.image} for ${f.deployment}: ${f.reason}. It was asked ${f.asked}.`,
    (f) =>
      `Check the name of the image, and log in ("docker login ${f.registry}", or "podman login ${f.registry}" with podman) as the user who runs berth${f.machine === thisMachine ? '' : `, or as the user of ${f.machine} there`}.`,
  ),
  DOCKER_NO_GPU: defineError<{ deployment: string; answer: string }>(
    (f) => `The container engine gives ${f.deployment} no GPU: ${f.answer}.`,
    () =>
      'Install the container toolkit of the GPU\'s vendor and register it ("nvidia-ctk runtime configure", then restart the engine).',
  ),
  CONTAINER_NAME_TAKEN: defineError<{ deployment: string; name: string; program?: ByHand }>(
    (f) => `A container that berth did not make has the name ${f.name}, which ${f.deployment} needs.`,
    (f) =>
      `Rename it ("${f.program ?? 'docker'} rename ${f.name} OTHER") or remove it; berth leaves it as it is.`,
  ),
  CONTAINER_KEPT: defineError<{ container: string; unit: string }>(
    (f) => `${f.container} is kept by the unit ${f.unit} of systemd, which would start it again.`,
    (f) =>
      `Change what the unit is made of and restart it, or take that away ("systemctl cat ${f.unit}" names it) and run "systemctl stop ${f.unit}".`,
  ),
  CONTAINER_USER: defineError<{ deployment: string; user: string; reason: string }>(
    (f) =>
      `The container of ${f.deployment} runs as user ${f.user}, who cannot be given its secrets and folders: ${f.reason}.`,
    (f) =>
      `Write the number of a user that can under target.user of ${f.deployment}, or target.container.user of a unit ("0", or that of the user who runs berth), or "become: sudo" at its host where berth is not root.`,
  ),
  CONTAINER_NOT_STARTED: defineError<{ deployment: string; image: string; answer: string }>(
    (f) => `The container of ${f.deployment} from ${f.image} could not be started: ${f.answer}.`,
    (f) =>
      /(stat|exec).*no such file or directory|executable file not found/.test(f.answer)
        ? `It was removed again. Name a program that the image has under target.entrypoint of ${f.deployment}, or take that key away for the image's own.`
        : saysFullDisk(f.answer)
          ? `It was removed again. ${spaceCure}`
          : 'It was removed again. Correct what the container engine says, and run "berth apply" again.',
  ),
  DOCKER_REFUSED: defineError<{ question: string; status: number; answer: string }>(
    (f) => `The container engine refuses "${f.question}" with ${f.status}: ${f.answer}.`,
    () => 'See what it says; its own log tells more.',
  ),
};
