public import Configuration

/// Looks at the scripts of a configuration without running a pipeline.
public enum ScriptCheck {
    /// Each script that cannot be loaded, as a problem of its processor's `js`. Starts a worker for each, one after the other.
    public static func problems(of scripts: [ScriptSetting]) -> [ConfigurationProblem] {
        scripts.compactMap { setting in
            let messages = Messages(isQuiet: true, level: .critical)
            do throws(ScriptLoadError) {
                try ScriptProcessor(name: setting.name, setting.script, messages: messages, now: 0).stop()
                return nil
            } catch {
                return setting.problem(error.description)
            }
        }
    }
}
