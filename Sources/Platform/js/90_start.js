'use strict';
// @ts-check
// What exists only at run time is bound here: all else was made when the snapshot was.

/**
 * @param {{argv: string[], env: Record<string, string>, pid: number, ppid: number, cwd: string, platform: string, arch: string,
 *     versions: Record<string, string>, entry: string, ring: ArrayBuffer | null, trace: object, limits?: Record<string, number>, colors?: {stdout: boolean, stderr: boolean},
 *     terminals?: {stdout: boolean, stderr: boolean}, title?: string, policy?: object, metricInterval?: string}} config
 *     `colors`: the stream is a terminal and NO_COLOR is not set
 */
internal.start = (config) => {
    internal.limits.start(config.limits ?? {});
    if (config.ring !== null && config.ring !== undefined) internal.trace.start(config.ring, config.arch, config.trace);
    if (config.colors !== undefined) {
        internal.colors.stdout = config.colors.stdout === true;
        internal.colors.stderr = config.colors.stderr === true;
    }
    // Milliseconds. <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#periodic-exporting-metricreader>
    const interval = +(config.metricInterval ?? config.env.OTEL_METRIC_EXPORT_INTERVAL);
    if (interval >= 1) internal.metrics.intervalMilliseconds = interval;
    internal.entry = config.entry;
    internal.performance.start();
    internal.navigator.userAgent = `Sidelight/${config.versions.sidelight}`;
    internal.navigator.platform = `Linux ${config.arch === 'x64' ? 'x86_64' : config.arch === 'arm64' ? 'aarch64' : config.arch}`;
    if (config.policy !== undefined) internal.policy.start(config.policy);
    internal.process.start(config);
    if (config.policy?.isFrozen) internal.frozen.start();
};
