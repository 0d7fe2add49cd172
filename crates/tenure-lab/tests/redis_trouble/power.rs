//! The power goes under Redis: what it had not synced for a second is gone.

use std::fs;

use tempfile::TempDir;
use tenure_lab::disk::FaultyDisk;
use tenure_lab::redis::{Engine, Options, Redis};

use crate::bench::{engines, serve, times};
use crate::crowd::Crowd;
use crate::raw::lacking;

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_costs_nobody_a_session() {
    for engine in engines(Engine::Valkey8) {
        let place = TempDir::new().unwrap();
        let Some(disk) = FaultyDisk::mount_or_skip(place.path(), 11).unwrap() else {
            return;
        };
        let directory = disk.path().join("redis");
        fs::create_dir(&directory).unwrap();
        fs::File::open(disk.path()).unwrap().sync_all().unwrap();
        let options = Options {
            directory: Some(directory),
            ..Options::default()
        };
        let mut redis = Redis::start(engine, options).unwrap();
        let mut servers = serve(&redis.url()).await;
        let mut crowd = Crowd::at(&servers, 12).await;
        let mut bitten = [false; 3];
        for cut in 1..=times(8, 40) {
            crowd.busy(async |progress| progress.more(60).await).await;
            // Redis syncs once a second: of what is written just before the cut, some is not.
            crowd.burst().await;
            redis.kill9().unwrap();
            servers.each[0].kill9().unwrap();
            disk.power_cut_losing_all();
            redis.restart().unwrap();
            let missing = lacking(&[&redis], &crowd);
            println!("cut {cut}: Redis alone lacks {missing:?}");
            bitten[0] |= missing.sessions > 0;
            bitten[1] |= missing.revocations > 0;
            bitten[2] |= missing.rotations > 0;
            servers.each[0].restart().unwrap();
            crowd.goes_on(&format!("cut {cut}")).await;
            if bitten == [true; 3] && cut >= times(2, 40) {
                break;
            }
        }
        assert_eq!(bitten, [true; 3], "the disk kept what Redis had not synced");
    }
}
