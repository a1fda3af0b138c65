public import Configuration

/// Looks at the scripts of a configuration without running a pipeline.
public enum ScriptCheck {
    /// Each script that cannot be loaded, as a problem of its processor's `js`. Starts a worker for each, one after the other.
    public static func problems(of configuration: PipelineConfiguration) -> [ConfigurationProblem] {
        configuration.processors.compactMap { named in
            guard case .js(let script) = named.processor else { return nil }
            let messages = Messages(isQuiet: true, level: .critical)
            do throws(ScriptLoadError) {
                try ScriptProcessor(name: named.name, script, messages: messages, now: 0).stop()
                return nil
            } catch {
                let key = ["processors", named.name, "js"]
                return ConfigurationProblem(key.joined(separator: "."), error.description, key: key)
            }
        }
    }
}
