// Archives the directory DIR/NAME the way rust-installer does: all directories
// first, sorted, then the other members by their reversed paths, with GNU
// headers in deterministic mode and a fixed time for files.
//
//     main DIR NAME MTIME >NAME.tar
use std::fs;
use std::io::{self, Write};
use std::path::Path;

fn walk(base: &Path, rel: &str, dirs: &mut Vec<String>, others: &mut Vec<String>) {
    dirs.push(rel.to_string());
    for entry in fs::read_dir(base.join(rel)).unwrap() {
        let entry = entry.unwrap();
        let child = format!("{rel}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            walk(base, &child, dirs, others);
        } else {
            others.push(child);
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let base = Path::new(&args[1]);
    let mtime: u64 = args[3].parse().unwrap();
    let (mut dirs, mut others) = (Vec::new(), Vec::new());
    walk(base, &args[2], &mut dirs, &mut others);
    dirs.sort();
    others.sort_by_key(|path| path.bytes().rev().collect::<Vec<u8>>());

    let mut tar = tar::Builder::new(io::stdout().lock());
    tar.mode(tar::HeaderMode::Deterministic);
    for dir in dirs {
        tar.append_dir(&dir, base.join(&dir)).unwrap();
    }
    for path in others {
        let file = base.join(&path);
        let meta = fs::symlink_metadata(&file).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_metadata_in_mode(&meta, tar::HeaderMode::Deterministic);
        header.set_mtime(mtime);
        if meta.is_symlink() {
            tar.append_link(&mut header, &path, fs::read_link(&file).unwrap()).unwrap();
        } else {
            tar.append_data(&mut header, &path, fs::File::open(&file).unwrap()).unwrap();
        }
    }
    tar.into_inner().unwrap().flush().unwrap();
}
