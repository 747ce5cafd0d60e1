//! The bill of materials of each function, in CycloneDX: what is linked into it for arm64 on Lambda, with versions,
//! licences and sums. Into `.ci/cache/sbom`.

use std::fs;

use serde_json::Value;

use crate::kit::{
    command::{Outcome, Run as _, cargo, command},
    folders::{cache, root},
    lambda::{OTHERS, http_functions},
};

/// Writes them.
pub(crate) fn run(_: &[String]) -> Outcome {
    let (home, bills) = (cache().join("cyclonedx"), cache().join("sbom"));
    cargo("install").args(["--quiet", "--locked", "--root"]).arg(&home).arg("cargo-cyclonedx@0.5.9").run()?;
    if bills.exists() {
        fs::remove_dir_all(&bills)?;
    }
    fs::create_dir_all(&bills)?;
    for name in http_functions()?.iter().map(String::as_str).chain(OTHERS) {
        let folder = root().join("functions").join(name);
        let mut list = command(home.join("bin/cargo-cyclonedx"));
        list.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--no-build-deps"]);
        list.args(["--target", "aarch64-unknown-linux-gnu", "--override-filename", "bom", "--manifest-path"]);
        list.arg(folder.join("Cargo.toml")).run()?;
        let bill = bills.join(format!("{name}.cdx.json"));
        fs::rename(folder.join("bom.json"), &bill)?;
        let bill: Value = serde_json::from_str(&fs::read_to_string(bill)?)?;
        let components = bill["components"].as_array().map_or(0, Vec::len);
        println!("{name}: {} {}, {components} components", bill["bomFormat"], bill["specVersion"]);
        if bill["bomFormat"] != "CycloneDX" || components == 0 {
            return Err(format!("{name} has no bill of materials").into());
        }
    }
    remove_others()
}

/// The program writes one for each member of the workspace.
fn remove_others() -> Outcome {
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !["target", "node_modules", ".git", ".ci"].contains(&&*name) {
                folders.push(path);
            } else if name == "bom.json" {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}
